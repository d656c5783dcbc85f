//! The version of a nats-server, as far as it decides whether it will do.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    pub major: u32,
    pub minor: u32,
}

impl Version {
    /// Reads `nats-server: v2.15.1`.
    pub fn read(said: &str) -> Option<Self> {
        let mut numbers = said.trim().strip_prefix("nats-server: v")?.split('.');
        Some(Self {
            major: numbers.next()?.parse().ok()?,
            minor: numbers.next()?.parse().ok()?,
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers_and_not_as_text() {
        let read = |text| Version::read(text).unwrap();
        assert!(read("nats-server: v2.9.25\n") < read("nats-server: v2.12.0"));
        assert_eq!(Version::read("something else"), None);
    }
}
