//! The time that a usage limit needs and the machine does not have: when it is over, and when to go on.

use nats::Timestamp;
use nats::ids::SessionId;

use super::machine::LimitSeen;

/// Sessions of one account would all go on in the same second.
const JITTER_MS_MAX: i64 = 30_000;
/// A limit said to be over already is not believed at once.
const DOUBT_MS: i64 = 60_000;

/// `told` is what the agent said of its end, in numbers or in words.
pub(super) fn seen(
    message: String,
    told: Option<Timestamp>,
    now: Timestamp,
    session: SessionId,
    resumes_by_default: bool,
) -> LimitSeen {
    let resume_at = told.map(|at| {
        let wait = at.milliseconds() - now.milliseconds();
        if wait <= 0 {
            return Timestamp::from_milliseconds(now.milliseconds() + DOUBT_MS);
        }
        let spread = i64::try_from(session.uuid().as_u128() % 30_000).unwrap_or(0);
        let jitter = spread.min(JITTER_MS_MAX).min(wait / 10);
        Timestamp::from_milliseconds(at.milliseconds() + jitter)
    });
    LimitSeen {
        message,
        resets_at: told,
        resume_at,
        resumes_by_default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_a_little_after_the_reset_and_never_before() {
        let now = Timestamp::from_milliseconds(1_000_000);
        for (reset, earliest, latest) in [
            (1_010_000, 1_010_000, 1_011_000),
            (19_000_000, 19_000_000, 19_030_000),
            (999_000, 1_060_000, 1_060_000),
        ] {
            let told = Some(Timestamp::from_milliseconds(reset));
            let seen = seen("full".into(), told, now, SessionId::new(), true);
            let at = seen.resume_at.unwrap().milliseconds();
            assert!((earliest..=latest).contains(&at), "{reset}: {at}");
        }
        let unknown = seen("full".into(), None, now, SessionId::new(), true);
        assert_eq!(unknown.resume_at, None);
    }
}
