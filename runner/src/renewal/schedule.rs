//! When to ask: pure.

use std::time::Duration;

use super::token::Life;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Of the time between two renewals, what passes before the first and at most before any further attempt.
const FIRST_PART: u32 = 1440;
const LAST_PART: u32 = 24;
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_LAST_MIN: Duration = Duration::from_secs(2);

/// How often a token is renewed: every day, one that lives for less than two at half of its life.
#[must_use]
pub fn every(life: Life) -> Duration {
    DAY.min(life.whole / 2)
}

/// How long to wait for the next renewal of a token of this age.
#[must_use]
pub fn due_in(life: Life) -> Duration {
    every(life).saturating_sub(life.passed)
}

/// How long to wait after so many failures in a row: for a token of thirty days a minute, doubling up to an hour.
#[must_use]
pub fn pause_after(failures: u32, life: Life) -> Duration {
    let every = every(life);
    let first = (every / FIRST_PART).max(PAUSE_MIN);
    let last = (every / LAST_PART).max(PAUSE_LAST_MIN);
    first
        .saturating_mul(1 << failures.saturating_sub(1).min(16))
        .min(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(whole: u64, passed: u64) -> Life {
        Life {
            whole: Duration::from_secs(whole),
            passed: Duration::from_secs(passed),
        }
    }

    const MONTH: u64 = 30 * 24 * 60 * 60;

    #[test]
    fn a_token_is_renewed_every_day_and_a_short_one_at_half_of_its_life() {
        for (life, expected) in [
            (life(MONTH, 0), 86_400),
            (life(MONTH, 80_000), 6_400),
            (life(MONTH, 90_000), 0),
            (life(MONTH, MONTH + 1), 0),
            (life(3600, 600), 1200),
        ] {
            assert_eq!(due_in(life), Duration::from_secs(expected), "{life:?}");
        }
    }

    #[test]
    fn who_gets_no_answer_asks_after_a_minute_and_at_last_every_hour() {
        let pauses: Vec<u64> = [1, 2, 3, 7, 40]
            .map(|failures| pause_after(failures, life(MONTH, MONTH)).as_secs())
            .to_vec();
        assert_eq!(pauses, [60, 120, 240, 3600, 3600]);
    }
}
