//! Secrets that let somebody in: made here, shown once, kept as a hash.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Says in any log or file that this text is a key to a fleet, so that scanners find a leaked one.
const PREFIX: &str = "flt_";

/// A secret text. Has no readable `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// 256 bits of chance.
    #[must_use]
    pub fn new() -> Self {
        let chance: [u8; 32] = rand::random();
        Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(chance)))
    }

    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// For the one moment when it is shown.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The key under which its record is kept. A secret of 256 bits needs no slow hash.
    #[must_use]
    pub fn key(&self) -> String {
        hex::encode(Sha256::digest(self.0.as_bytes()))
    }

    /// Compares hashes, so that the time it takes says nothing about the text.
    #[must_use]
    pub fn is(&self, offered: &str) -> bool {
        let (own, other) = (
            Sha256::digest(self.0.as_bytes()),
            Sha256::digest(offered.as_bytes()),
        );
        own.iter()
            .zip(other.iter())
            .fold(0, |difference, (a, b)| difference | (a ^ b))
            == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_only_itself_and_is_not_printed() {
        let secret = Secret::new();
        assert!(secret.is(secret.reveal()));
        assert!(!secret.is(""));
        assert!(!secret.is(Secret::new().reveal()));
        assert!(!format!("{secret:?}").contains(secret.reveal()));
        assert_eq!(secret.key().len(), 64);
    }
}
