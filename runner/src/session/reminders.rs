//! When gates that wait are told of again.
//!
//! Waiting is measured by a clock that nobody sets. Only what was before this process is read from the wall clock: the
//! id of a gate holds the moment it opened. Each look tells of a gate once at most, however much is overdue, so a clock
//! that was set two hours ahead makes one reminder come early and no more.

use std::collections::BTreeMap;
use std::time::Duration;

use nats::Timestamp;
use nats::ids::GateId;
use tokio::time::Instant;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) struct Reminders {
    /// How long a gate waits before it is first told of again; none: never.
    first: Option<Duration>,
    gates: BTreeMap<GateId, Waiting>,
}

struct Waiting {
    since: Instant,
    /// How long it had waited then.
    before: Duration,
    /// How long it had waited when it was last told of.
    reminded_after: Option<Duration>,
}

impl Reminders {
    pub(super) fn new(first: Option<Duration>) -> Self {
        Self {
            first,
            gates: BTreeMap::new(),
        }
    }

    /// Takes over which gates wait, and when each was last told of.
    pub(super) fn note(
        &mut self,
        waiting: BTreeMap<GateId, Option<u64>>,
        now: Instant,
        wall: Timestamp,
    ) {
        self.gates.retain(|gate, _| waiting.contains_key(gate));
        for (gate, reminded_after_ms) in waiting {
            let entry = self.gates.entry(gate).or_insert_with(|| Waiting {
                since: now,
                before: waited_before(gate, wall),
                reminded_after: None,
            });
            entry.reminded_after = reminded_after_ms.map(Duration::from_millis);
        }
    }

    /// When to look next.
    pub(super) fn due(&self) -> Option<Instant> {
        let first = self.first?;
        let next = |waiting: &Waiting| {
            let left = step_after(first, waiting.reminded_after).saturating_sub(waiting.before);
            waiting.since + left
        };
        self.gates.values().map(next).min()
    }

    /// A gate that has waited for long enough, and how long in milliseconds.
    pub(super) fn overdue(&self, now: Instant) -> Option<(GateId, u64)> {
        let first = self.first?;
        self.gates.iter().find_map(|(gate, waiting)| {
            let waited = waiting.before + now.saturating_duration_since(waiting.since);
            let due = waited >= step_after(first, waiting.reminded_after);
            due.then(|| (*gate, u64::try_from(waited.as_millis()).unwrap_or(u64::MAX)))
        })
    }
}

/// The first step, an hour, four, and then every day: the next one after `reminded_after`.
fn step_after(first: Duration, reminded_after: Option<Duration>) -> Duration {
    let Some(after) = reminded_after else {
        return first;
    };
    let steps = [first, HOUR, 4 * HOUR];
    let early = steps.into_iter().filter(|step| *step > after).min();
    early.unwrap_or_else(|| {
        let days = u32::try_from(after.as_secs() / DAY.as_secs()).unwrap_or(u32::MAX - 1);
        DAY.saturating_mul(days + 1)
    })
}

/// By the wall clock; a clock that was set back makes it nothing, never less.
fn waited_before(gate: GateId, wall: Timestamp) -> Duration {
    let opened_ms = gate.uuid().get_timestamp().map_or(0, |at| {
        let (seconds, nanoseconds) = at.to_unix();
        seconds.saturating_mul(1000) + u64::from(nanoseconds / 1_000_000)
    });
    let wall_ms = u64::try_from(wall.milliseconds()).unwrap_or(0);
    if opened_ms == 0 {
        return Duration::ZERO;
    }
    Duration::from_millis(wall_ms.saturating_sub(opened_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(15 * 60);

    fn minutes(count: u64) -> Duration {
        Duration::from_secs(count * 60)
    }

    /// The minutes at which one gate is told of within so many days.
    fn told(days: u32) -> Vec<u64> {
        let (gate, start) = (GateId::new(), Instant::now());
        let mut reminders = Reminders::new(Some(FIRST));
        let (mut last, mut told) = (None, Vec::new());
        loop {
            reminders.note(BTreeMap::from([(gate, last)]), start, Timestamp::now());
            let due = reminders.due().unwrap();
            if due > start + DAY * days {
                return told;
            }
            let (_, waited_ms) = reminders.overdue(due).unwrap();
            last = Some(waited_ms);
            told.push(waited_ms / 60_000);
        }
    }

    #[test]
    fn after_a_quarter_an_hour_an_hour_four_and_then_every_day() {
        assert_eq!(told(3), [15, 60, 240, 1440, 2880, 4320]);
    }

    #[test]
    fn a_clock_that_is_set_ahead_makes_one_reminder_and_no_storm() {
        let gate = GateId::new();
        let ahead = Timestamp::from_milliseconds(Timestamp::now().milliseconds() + 2 * 3_600_000);
        let now = Instant::now();
        // A restart under the new clock: what was before it is read from that.
        let mut reminders = Reminders::new(Some(FIRST));
        reminders.note(BTreeMap::from([(gate, None)]), now, ahead);
        let (_, waited_ms) = reminders.overdue(now).unwrap();
        reminders.note(BTreeMap::from([(gate, Some(waited_ms))]), now, ahead);
        assert_eq!(reminders.overdue(now), None);
        assert!(reminders.due().unwrap() > now + minutes(100));
    }

    #[test]
    fn a_clock_that_is_set_while_it_runs_changes_nothing() {
        let gate = GateId::new();
        let now = Instant::now();
        let mut reminders = Reminders::new(Some(FIRST));
        reminders.note(BTreeMap::from([(gate, None)]), now, Timestamp::now());
        let due = reminders.due();
        for hours in [-2, 2] {
            let wall = Timestamp::now().milliseconds() + hours * 3_600_000;
            reminders.note(
                BTreeMap::from([(gate, None)]),
                now,
                Timestamp::from_milliseconds(wall),
            );
            assert_eq!(reminders.due(), due);
        }
    }

    #[test]
    fn a_restart_repeats_nothing() {
        let (gate, now) = (GateId::new(), Instant::now());
        let mut reminders = Reminders::new(Some(FIRST));
        let told = Some(u64::try_from(minutes(16).as_millis()).unwrap());
        reminders.note(BTreeMap::from([(gate, told)]), now, Timestamp::now());
        assert_eq!(reminders.overdue(now + minutes(20)), None);
    }

    #[test]
    fn off_is_off_and_what_waits_no_longer_is_forgotten() {
        let (gate, now) = (GateId::new(), Instant::now());
        let mut reminders = Reminders::new(None);
        reminders.note(BTreeMap::from([(gate, None)]), now, Timestamp::now());
        assert_eq!(reminders.due(), None);
        let mut reminders = Reminders::new(Some(FIRST));
        reminders.note(BTreeMap::from([(gate, None)]), now, Timestamp::now());
        reminders.note(BTreeMap::new(), now, Timestamp::now());
        assert_eq!(reminders.due(), None);
    }
}
