//! Moments as people say them, in their own time zone.

use jiff::tz::TimeZone;
use nats::Timestamp;

/// Now and here.
#[derive(Clone)]
pub(super) struct Clock {
    now: Timestamp,
    zone: TimeZone,
}

impl Clock {
    pub(super) fn system() -> Self {
        Self {
            now: Timestamp::now(),
            zone: TimeZone::system(),
        }
    }

    #[cfg(test)]
    pub(super) fn at(now: &str) -> Self {
        let now = Timestamp::try_from(now.to_owned()).expect("a moment");
        Self {
            now,
            zone: TimeZone::UTC,
        }
    }

    /// `14:02` today, `Tue 14:02` this week, else with the date.
    pub(super) fn moment(&self, at: Timestamp) -> String {
        let (at, now) = (self.here(at), self.here(self.now));
        let days = now.date().duration_since(at.date()).as_hours() / 24;
        let form = match days {
            0 => "%H:%M",
            1..=6 => "%a %H:%M",
            _ => "%Y-%m-%d %H:%M",
        };
        at.strftime(form).to_string()
    }

    /// To the second, for a log.
    pub(super) fn second(&self, at: Timestamp) -> String {
        self.here(at).strftime("%H:%M:%S").to_string()
    }

    /// `40 s`, `12 min`, `3 h`, `2 d`.
    pub(super) fn ago(&self, at: Timestamp) -> String {
        let seconds = (self.now.milliseconds() - at.milliseconds()).max(0) / 1000;
        match seconds {
            0..=99 => format!("{seconds} s"),
            100..=5999 => format!("{} min", seconds / 60),
            6000..=172_799 => format!("{} h", seconds / 3600),
            _ => format!("{} d", seconds / 86400),
        }
    }

    fn here(&self, at: Timestamp) -> jiff::Zoned {
        let at = jiff::Timestamp::from_millisecond(at.milliseconds()).unwrap_or_default();
        at.to_zoned(self.zone.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::try_from(text.to_owned()).expect("a moment")
    }

    #[test]
    fn a_moment_is_said_as_shortly_as_it_is_plain() {
        let clock = Clock::at("2026-11-20T14:30:00Z");
        assert_eq!(clock.moment(at("2026-11-20T14:02:00Z")), "14:02");
        assert_eq!(clock.moment(at("2026-11-19T23:59:00Z")), "Thu 23:59");
        assert_eq!(clock.moment(at("2026-11-01T08:00:00Z")), "2026-11-01 08:00");
        assert_eq!(
            clock.moment(at("2026-11-21T08:00:00Z")),
            "2026-11-21 08:00",
            "a host's clock may be ahead"
        );
    }

    #[test]
    fn how_long_ago_grows_coarser() {
        let clock = Clock::at("2026-11-20T14:30:00Z");
        for (then, words) in [
            ("14:29:20", "40 s"),
            ("14:18:00", "12 min"),
            ("11:30:00", "3 h"),
            ("14:31:00", "0 s"),
        ] {
            assert_eq!(clock.ago(at(&format!("2026-11-20T{then}Z"))), words);
        }
        assert_eq!(clock.ago(at("2026-11-17T14:30:00Z")), "3 d");
    }
}
