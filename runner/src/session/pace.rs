//! When live text goes out: at once while an agent speaks slowly, gathered while it speaks faster than anybody reads.
//!
//! Pure. Owns no timer and no text.

use std::time::Duration;

use tokio::time::Instant;

/// After this much silence a piece goes out as it comes. Less than what lies between two pieces of an agent that
/// streams at reading speed (20 ms), with room for the jitter of both ends.
const GATHER_MIN: Duration = Duration::from_millis(8);
/// A flood is told once per frame of a screen.
const GATHER_MAX: Duration = Duration::from_millis(16);

#[derive(Debug)]
pub struct Pace {
    sent: Option<Instant>,
    gather: Duration,
    /// Pieces that wait to be sent together, and since when they are due.
    waiting: u32,
    due: Option<Instant>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            sent: None,
            gather: GATHER_MIN,
            waiting: 0,
            due: None,
        }
    }
}

impl Pace {
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
            GATHER_MAX
        } else {
            GATHER_MIN
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
        let mut pace = Pace::default();
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
