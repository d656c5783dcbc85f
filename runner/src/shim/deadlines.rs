//! The three moments a shim acts on by itself. Pure: told what happened and what time it is, it says what is due.
//! Does not know how an agent is ended.

use std::time::Duration;

use tokio::time::Instant;

/// How long an ending shim goes on telling an attached runner what was still unsaid.
const FAREWELL_TIME_MAX: Duration = Duration::from_secs(2);

/// Longer is never, and an instant that far can be counted.
const TIME_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

pub(super) struct Deadlines {
    unclaimed: Duration,
    /// Nobody attached by then: give up. `None` while somebody is.
    unclaimed_at: Option<Instant>,
    /// The agent was asked to end, and has until then.
    kill_at: Option<Instant>,
    /// The shim ends with its agent.
    ending: bool,
    /// The agent is gone and the shim is ending: the last words are said by then.
    leave_at: Option<Instant>,
}

impl Deadlines {
    pub(super) fn new(unclaimed: Duration, now: Instant) -> Self {
        let unclaimed = unclaimed.min(TIME_MAX);
        let unclaimed_at = Some(now + unclaimed);
        Self {
            unclaimed,
            unclaimed_at,
            kill_at: None,
            ending: false,
            leave_at: None,
        }
    }

    pub(super) fn attached(&mut self) {
        self.unclaimed_at = None;
    }

    pub(super) fn detached(&mut self, now: Instant) {
        self.unclaimed_at = (!self.ending).then_some(now + self.unclaimed);
    }

    /// The agent was asked to end by itself.
    pub(super) fn asked_to_end(&mut self, grace: Duration, now: Instant) {
        self.ending = true;
        self.kill_at = Some(now + grace.min(TIME_MAX));
    }

    /// The agent was killed, or is gone already; nothing else is waited for but its end.
    pub(super) fn killed(&mut self) {
        self.ending = true;
        (self.unclaimed_at, self.kill_at) = (None, None);
    }

    /// Nothing keeps an ending shim any more.
    pub(super) fn agent_gone(&mut self, now: Instant) {
        self.kill_at = None;
        if self.ending && self.leave_at.is_none() {
            self.leave_at = Some(now + FAREWELL_TIME_MAX);
        }
    }

    pub(super) fn next(&self) -> Option<Instant> {
        [self.unclaimed_at, self.kill_at, self.leave_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// Why the agent is to be killed now, if it is.
    pub(super) fn kill_due(&self, now: Instant) -> Option<&'static str> {
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        match (is_due(self.unclaimed_at), is_due(self.kill_at)) {
            (true, _) => Some("no runner came for it"),
            (false, true) => Some("its time to end by itself is over"),
            (false, false) => None,
        }
    }

    /// Whether the shim is done: its agent is gone and everything was said, or the time to say it is over.
    pub(super) fn is_over(&self, said_all: bool, now: Instant) -> bool {
        self.leave_at
            .is_some_and(|leave_at| said_all || leave_at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn nobody_for_too_long_is_due_and_somebody_stops_the_clock() {
        let start = Instant::now();
        let mut deadlines = Deadlines::new(SECOND, start);
        assert_eq!(deadlines.kill_due(start), None);
        assert!(deadlines.kill_due(start + SECOND).is_some());
        deadlines.attached();
        assert_eq!(
            (deadlines.next(), deadlines.kill_due(start + SECOND * 9)),
            (None, None)
        );
        deadlines.detached(start + SECOND * 9);
        assert_eq!(deadlines.next(), Some(start + SECOND * 10));
    }

    #[tokio::test(start_paused = true)]
    async fn an_ending_shim_waits_for_its_agent_and_then_for_its_last_words_but_not_for_ever() {
        let start = Instant::now();
        let mut deadlines = Deadlines::new(SECOND, start);
        deadlines.attached();
        deadlines.asked_to_end(SECOND * 5, start);
        assert!(deadlines.kill_due(start + SECOND * 5).is_some());
        deadlines.killed();
        assert_eq!(deadlines.next(), None);
        assert!(!deadlines.is_over(true, start + SECOND * 6));
        deadlines.agent_gone(start + SECOND * 6);
        assert!(deadlines.is_over(true, start + SECOND * 6));
        assert!(!deadlines.is_over(false, start + SECOND * 7));
        assert!(deadlines.is_over(false, start + SECOND * 8));
    }

    #[tokio::test(start_paused = true)]
    async fn an_agent_that_goes_by_itself_leaves_its_shim_waiting_to_be_asked() {
        let start = Instant::now();
        let mut deadlines = Deadlines::new(SECOND, start);
        deadlines.agent_gone(start);
        assert!(!deadlines.is_over(true, start + SECOND));
        assert!(
            deadlines.kill_due(start + SECOND).is_some(),
            "unclaimed all the same"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_beyond_counting_is_a_long_time() {
        let mut deadlines = Deadlines::new(Duration::MAX, Instant::now());
        deadlines.asked_to_end(Duration::MAX, Instant::now());
        assert!(deadlines.next() > Some(Instant::now() + SECOND));
    }
}
