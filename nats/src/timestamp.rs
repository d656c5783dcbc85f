//! Moments on the wire: RFC 3339 in UTC with milliseconds, so that a person reads them and text order is time order.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A moment, kept to the millisecond.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string")]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    #[must_use]
    pub fn now() -> Self {
        Self::from_milliseconds(jiff::Timestamp::now().as_millisecond())
    }

    /// Milliseconds since 1970 UTC. Out of range becomes the nearest end of time.
    #[must_use]
    pub fn from_milliseconds(milliseconds: i64) -> Self {
        Self(
            jiff::Timestamp::from_millisecond(milliseconds).unwrap_or(if milliseconds < 0 {
                jiff::Timestamp::MIN
            } else {
                jiff::Timestamp::MAX
            }),
        )
    }

    /// Milliseconds since 1970 UTC.
    #[must_use]
    pub fn milliseconds(self) -> i64 {
        self.0.as_millisecond()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Timestamp {
    type Error = jiff::Error;

    fn try_from(text: String) -> Result<Self, jiff::Error> {
        text.parse().map(Self)
    }
}

impl From<Timestamp> for String {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_as_rfc_3339_with_milliseconds() {
        assert_eq!(
            Timestamp::from_milliseconds(1_700_000_000_000).to_string(),
            "2023-11-14T22:13:20.000Z"
        );
        let now = Timestamp::now();
        assert_eq!(Timestamp::try_from(now.to_string()).unwrap(), now);
    }
}
