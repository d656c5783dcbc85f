//! Usage limits as the agent tells of them: a line of its own when the account is refused, the status of a failed turn,
//! and sentences. Reads all three, and knows neither who waits nor what for.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use nats::Timestamp;
use serde::{Deserialize, Serialize};

use super::protocol::{RateLimit, TurnResult};
use crate::agent::AgentEvent;

/// Refused for asking too much.
const TOO_MANY_REQUESTS: u16 = 429;
/// How the sentences begin that the versions supported here print.
const BEGINNINGS: [&str; 4] = [
    "Claude AI usage limit reached",
    "Claude usage limit reached",
    "You've hit your",
    "You've reached your",
];
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// What was heard of the account since it was last let through.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Limits {
    /// The account is refused until then, in seconds since 1970. Told when it changes and at no other time, so it holds
    /// for every refusal that follows.
    rejected_until: Option<i64>,
    /// It was refused, and no turn has ended by it yet.
    rejected: bool,
}

impl Limits {
    pub fn told(&mut self, info: &RateLimit) {
        self.rejected = info.status == "rejected";
        self.rejected_until = info.resets_at.filter(|_| self.rejected);
    }

    /// Whether a turn that ended so ended by a limit.
    pub fn of(&mut self, result: &TurnResult, error: Option<&str>) -> Option<AgentEvent> {
        let said = error.or(result.result.as_deref()).unwrap_or_default();
        let in_words = BEGINNINGS.iter().any(|it| said.starts_with(it));
        let failed = error.is_some();
        let refused = failed
            && (self.rejected || result.api_error_status == Some(TOO_MANY_REQUESTS) || in_words);
        // An older build ends such a turn as if it had succeeded.
        if !refused && !said.starts_with(BEGINNINGS[0]) {
            return None;
        }
        let until = after_the_bar(said).or(self.rejected_until);
        self.rejected = false;
        Some(AgentEvent::LimitReached {
            message: without_number(said).to_owned(),
            resets_at: until
                .map(|seconds| Timestamp::from_milliseconds(seconds.saturating_mul(1000))),
        })
    }
}

/// `… reached|1700000000` is for programs; people read the rest.
pub(super) fn without_number(said: &str) -> &str {
    match after_the_bar(said) {
        Some(_) => said
            .rsplit_once('|')
            .map_or(said, |(text, _)| text.trim_end()),
        None => said,
    }
}

fn after_the_bar(said: &str) -> Option<i64> {
    let (_, number) = said.trim().rsplit_once('|')?;
    number.trim().parse().ok().filter(|seconds| *seconds > 0)
}

/// When a sentence says that the limit is over: `resets 3pm (Europe/Berlin)`, `resets Oct 6, 1:30pm (UTC)`. The first
/// such moment after `now`, or the minute that it is: seconds are not said. A zone that is not named is that of this
/// machine.
#[must_use]
pub fn reset_in_words(said: &str, now: Timestamp) -> Option<Timestamp> {
    let (_, rest) = said.split_once("resets ")?;
    let rest = rest.strip_prefix("at ").unwrap_or(rest);
    let (when, zone) = match rest.split_once('(') {
        Some((when, zone)) => (when, TimeZone::get(zone.split(')').next()?.trim()).ok()?),
        None => (rest, TimeZone::system()),
    };
    let now = jiff::Timestamp::from_millisecond(now.milliseconds()).ok()?;
    let today = now.to_zoned(zone.clone()).date();
    let mut words = when
        .split([' ', ',', '\u{b7}'])
        .filter(|word| !word.is_empty() && *word != "at")
        .peekable();
    let month = words.peek().and_then(|word| month(word));
    let date = match month {
        Some(month) => {
            words.next();
            let day = words.next()?.parse().ok()?;
            let date = Date::new(today.year(), month, day).ok()?;
            // Said in December of a day in January.
            if date < today {
                date.checked_add(jiff::Span::new().years(1)).ok()?
            } else {
                date
            }
        }
        None => today,
    };
    let time = time(words.next()?)?;
    let mut at = date.to_datetime(time).to_zoned(zone).ok()?;
    let minute_ends = at.timestamp() + jiff::SignedDuration::from_mins(1);
    if month.is_none() && minute_ends <= now {
        at = at.tomorrow().ok()?;
    }
    Some(Timestamp::from_milliseconds(
        at.timestamp().as_millisecond(),
    ))
}

fn month(word: &str) -> Option<i8> {
    let word = word.to_ascii_lowercase();
    let at = MONTHS
        .iter()
        .position(|month| word.get(..3) == Some(*month))?;
    i8::try_from(at + 1).ok()
}

/// `3pm`, `3:30pm`, `15:30`.
fn time(word: &str) -> Option<Time> {
    let word = word.trim_end_matches(['.', ';']).to_ascii_lowercase();
    let (digits, afternoon) = if let Some(digits) = word.strip_suffix("pm") {
        (digits, Some(true))
    } else if let Some(digits) = word.strip_suffix("am") {
        (digits, Some(false))
    } else {
        (word.as_str(), None)
    };
    let (hour, minute) = digits.split_once(':').unwrap_or((digits, "0"));
    let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
    let hour = match afternoon {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(true) => hour % 12 + 12,
        Some(false) => hour % 12,
        None => hour,
    };
    Time::new(hour, minute, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn the_sentence_says_when() {
        let now = at("2026-11-26T13:10:30Z");
        for (said, expected) in [
            (
                "You've hit your session limit \u{b7} resets 3pm (Europe/Berlin)",
                "2026-11-26T14:00:00Z",
            ),
            (
                "You've hit your limit \u{b7} resets at 1pm (UTC)",
                "2026-11-27T13:00:00Z",
            ),
            (
                "You've hit your 5-hour limit \u{b7} resets 1:10pm (UTC)",
                "2026-11-26T13:10:00Z",
            ),
            (
                "You've hit your 5-hour limit \u{b7} resets 1:09pm (UTC)",
                "2026-11-27T13:09:00Z",
            ),
            (
                "You've hit your weekly limit \u{b7} resets Nov 30, 12:30am (UTC)",
                "2026-11-30T00:30:00Z",
            ),
            (
                "You've hit your weekly limit \u{b7} resets Jan 2 at 9am (America/New_York)",
                "2027-01-02T14:00:00Z",
            ),
        ] {
            assert_eq!(reset_in_words(said, now), Some(at(expected)), "{said}");
        }
        for said in [
            "You've hit your limit",
            "resets soon",
            "resets 3pm (Middle/Earth)",
            "resets 25pm (UTC)",
        ] {
            assert_eq!(reset_in_words(said, now), None, "{said}");
        }
    }

    fn failed(status: Option<u16>) -> TurnResult {
        TurnResult {
            is_error: true,
            api_error_status: status,
            ..TurnResult::default()
        }
    }

    #[test]
    fn a_number_after_the_bar_is_when_and_nothing_that_a_person_reads() {
        let said = "Claude AI usage limit reached|1700000000";
        let told = Limits::default().of(&failed(None), Some(said));
        assert_eq!(
            told,
            Some(AgentEvent::LimitReached {
                message: "Claude AI usage limit reached".to_owned(),
                resets_at: Some(Timestamp::from_milliseconds(1_700_000_000_000)),
            })
        );
    }

    #[test]
    fn a_refused_account_is_a_limit_and_a_broken_endpoint_is_not() {
        let mut limits = Limits::default();
        limits.told(&RateLimit {
            status: "rejected".to_owned(),
            resets_at: Some(1_700_000_000),
        });
        let told = limits.of(&failed(None), Some("API Error: refused"));
        assert!(matches!(
            told,
            Some(AgentEvent::LimitReached {
                resets_at: Some(_),
                ..
            })
        ));
        assert_eq!(
            limits.of(&failed(Some(400)), Some("API Error: bad")),
            None,
            "told once"
        );
        // The agent says when only as often as it changes.
        let again = limits.of(&failed(Some(429)), Some("API Error: refused"));
        assert_eq!(again, told);
        limits.told(&RateLimit {
            status: "allowed".to_owned(),
            resets_at: Some(1_700_000_000),
        });
        let told = limits.of(&failed(Some(429)), Some("API Error: slow down"));
        assert!(matches!(
            told,
            Some(AgentEvent::LimitReached {
                resets_at: None,
                ..
            })
        ));
        assert_eq!(
            limits.of(&failed(Some(529)), Some("API Error: overloaded")),
            None
        );
        assert_eq!(limits.of(&TurnResult::default(), None), None);
    }
}
