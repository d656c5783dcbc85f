//! The key that signs checkpoints. Each coordinator has one of its own, made once.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use nkeys::{KeyPair, KeyPairType};
use serde::{Deserialize, Serialize};

use crate::credentials::{self, authority};

/// Signs. Not `Debug`: it holds a secret.
pub struct AuditKey {
    pair: KeyPair,
    public: AuditPublicKey,
}

impl AuditKey {
    /// The key in a file that only its owner may read, made if there is none.
    pub fn open(path: &Path) -> Result<Self, credentials::Error> {
        authority::key(path, KeyPairType::Account).map(Self::from)
    }

    #[must_use]
    pub const fn public(&self) -> &AuditPublicKey {
        &self.public
    }

    /// The signature as text.
    pub(super) fn sign(&self, text: &str) -> Result<String, SignError> {
        let signature = self.pair.sign(text.as_bytes());
        signature.map(hex::encode).map_err(SignError)
    }
}

/// What is kept is no whole key.
#[derive(Debug, thiserror::Error)]
#[error("the key cannot sign")]
pub struct SignError(#[source] nkeys::error::Error);

impl From<KeyPair> for AuditKey {
    fn from(pair: KeyPair) -> Self {
        let public = AuditPublicKey(pair.public_key());
        Self { pair, public }
    }
}

/// What a checkpoint names its signer by, and what a person pins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AuditPublicKey(String);

/// A text that is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a public key of an audit: it begins with A and has 56 characters")]
pub struct NotAKey(pub String);

impl AuditPublicKey {
    pub(super) fn verifies(&self, text: &str, signature: &str) -> bool {
        let Ok(signature) = hex::decode(signature) else {
            return false;
        };
        KeyPair::from_public_key(&self.0)
            .is_ok_and(|key| key.verify(text.as_bytes(), &signature).is_ok())
    }
}

impl FromStr for AuditPublicKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        match KeyPair::from_public_key(text) {
            // One key has one name: what reads as the same key in other letters is none.
            Ok(key) if key.public_key() == text && text.starts_with('A') => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(NotAKey(text.to_owned())),
        }
    }
}

impl fmt::Display for AuditPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for AuditPublicKey {
    type Error = NotAKey;

    fn try_from(text: String) -> Result<Self, NotAKey> {
        text.parse()
    }
}

impl From<AuditPublicKey> for String {
    fn from(key: AuditPublicKey) -> Self {
        key.0
    }
}
