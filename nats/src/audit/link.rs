//! One message of the AUDIT stream as it is stored, and the link that ties it to all before it.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Keeps these hashes apart from any other use of the same bytes, and from the links of a later form.
const FORM: &[u8] = b"flotilla audit link 1";

/// A message of the AUDIT stream, exactly as the server keeps it. Its headers are for the server and prove nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub sequence: u64,
    pub subject: String,
    /// When the server stored it, since 1970 UTC.
    pub time_nanoseconds: i64,
    pub payload: Bytes,
}

/// The hash of a record and of everything before it, in stream order.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Link([u8; 32]);

impl Link {
    /// Before the first record.
    pub const START: Self = Self([0; 32]);

    /// The link of the record that follows. Here, and nowhere else, is what the chain is made of.
    #[must_use]
    pub fn then(self, stored: &Stored) -> Self {
        let mut hash = Sha256::new();
        hash.update(FORM);
        hash.update(self.0);
        hash.update(stored.sequence.to_be_bytes());
        hash.update(stored.time_nanoseconds.to_be_bytes());
        // With their lengths, so that no byte can pass from one to the other.
        for part in [stored.subject.as_bytes(), &stored.payload] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    pub(super) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Link {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Link {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Link> for String {
    fn from(link: Link) -> Self {
        link.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_the_same_for_ever() {
        let stored = Stored {
            sequence: 1,
            subject: "audit.login.aud_1".to_owned(),
            time_nanoseconds: 1_795_000_000_123_456_789,
            payload: Bytes::from_static(b"{}"),
        };
        // Computed apart from this code, with Python's hashlib over the same bytes.
        assert_eq!(
            Link::START.then(&stored).to_string(),
            "bc131bfe2d6fb8f6a1a399ee69cf0d2f54e5e15d78e699d039ba7fd98f38a4d3"
        );
    }
}
