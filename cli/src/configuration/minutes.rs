//! A length of time as people write it into a file: minutes, with a fraction where that helps.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A hundred years are never.
const MINUTES_MAX: f64 = 100.0 * 366.0 * 24.0 * 60.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "Number", into = "f64")]
pub struct Minutes(Duration);

#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Whole(u32),
    Fraction(f64),
}

impl Minutes {
    /// None for zero, which is off.
    #[must_use]
    pub fn unless_zero(self) -> Option<Duration> {
        Some(self.0).filter(|time| !time.is_zero())
    }
}

impl TryFrom<Number> for Minutes {
    type Error = &'static str;

    fn try_from(number: Number) -> Result<Self, Self::Error> {
        let minutes = match number {
            Number::Whole(minutes) => f64::from(minutes),
            Number::Fraction(minutes) => minutes,
        };
        if !(0.0..=MINUTES_MAX).contains(&minutes) {
            return Err("minutes, from 0 on");
        }
        Ok(Self(Duration::from_secs_f64(minutes * 60.0)))
    }
}

impl From<Minutes> for f64 {
    fn from(minutes: Minutes) -> Self {
        minutes.0.as_secs_f64() / 60.0
    }
}
