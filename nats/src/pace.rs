//! When live text goes on: at once while it comes slowly, gathered while it comes faster than anybody reads.
//!
//! Every station on its way has a pace of its own: a session, a host and a tab. Pure. Owns no timer and no text.

use std::time::Duration;

use tokio::time::Instant;

/// How long pieces are gathered before they go on together.
#[derive(Debug, Clone, Copy)]
pub struct Gather {
    /// After this much silence a piece goes on as it comes.
    pub min: Duration,
    /// The longest that a piece of a flood waits.
    pub max: Duration,
}

impl Gather {
    /// For one reader. `min` is less than what lies between two pieces of an agent that streams at reading speed (20 ms),
    /// with room for the jitter of both ends; `max` tells a flood once per frame of a screen.
    pub const FOR_A_READER: Self = Self {
        min: Duration::from_millis(8),
        max: Duration::from_millis(16),
    };
    /// For a connection that many share: long enough to fill a packet, too short to notice.
    pub const FOR_MANY: Self = Self {
        min: Duration::from_millis(1),
        max: Duration::from_millis(4),
    };
}

#[derive(Debug)]
pub struct Pace {
    bounds: Gather,
    sent: Option<Instant>,
    gather: Duration,
    /// Pieces that wait to be sent together, and since when they are due.
    waiting: u32,
    due: Option<Instant>,
}

impl Pace {
    #[must_use]
    pub const fn new(bounds: Gather) -> Self {
        Self {
            bounds,
            sent: None,
            gather: bounds.min,
            waiting: 0,
            due: None,
        }
    }

    /// A piece of text is there. True when it must be sent now, with whatever waits; else it is due at [`Pace::due`].
    pub fn came(&mut self, now: Instant) -> bool {
        self.waiting += 1;
        let due = self.sent.map_or(now, |sent| sent + self.gather);
        self.due = Some(due);
        due <= now
    }

    /// When what waits must be sent.
    #[must_use]
    pub const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Everything that waited was sent.
    pub fn sent(&mut self, now: Instant) {
        // Several pieces in one short time are a flood; a single one is not.
        self.gather = if self.waiting > 1 {
            self.bounds.max
        } else {
            self.bounds.min
        };
        (self.waiting, self.due, self.sent) = (0, None, Some(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Delays of pieces that come at these milliseconds, with a timer that fires on the millisecond after it is due.
    fn delays(pieces: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let start = Instant::now();
        let mut pace = Pace::new(Gather::FOR_A_READER);
        let (mut delays, mut waiting) = (vec![], vec![]);
        let mut pieces = pieces.into_iter().peekable();
        for millisecond in 0..10_000 {
            let now = start + Duration::from_millis(millisecond);
            let mut send = pace
                .due()
                .is_some_and(|due| due + Duration::from_millis(1) <= now);
            while pieces.next_if_eq(&millisecond).is_some() {
                waiting.push(millisecond);
                send |= pace.came(now);
            }
            if send {
                pace.sent(now);
                delays.extend(waiting.drain(..).map(|came| millisecond - came));
            }
        }
        assert!(pieces.peek().is_none() && waiting.is_empty());
        delays
    }

    #[test]
    fn pieces_at_reading_speed_go_out_as_they_come() {
        assert_eq!(delays((0..100).map(|it| it * 20)), [0; 100]);
    }

    #[test]
    fn jitter_does_not_add_up() {
        let jittered = (0..100).map(|it| it * 20 + [0, 9, 3, 13, 1][it as usize % 5]);
        assert!(delays(jittered).iter().all(|delay| *delay <= 2));
    }

    #[test]
    fn a_flood_is_gathered_and_its_first_piece_is_not() {
        let delays = delays(0..1_000);
        assert_eq!(delays[0], 0);
        let sends = delays.windows(2).filter(|it| it[1] >= it[0]).count();
        assert!(sends <= 1_000 / 16 + 2, "{sends} messages");
        assert!(delays.iter().all(|delay| *delay <= 17));
    }
}
