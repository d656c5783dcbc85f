//! Keys that sign for the fleet, told apart by what they sign: a key of one kind is none of another.
//!
//! Owns the file a secret lies in, the text of a public key, and what a signature is. Does not know what is signed.

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::str::FromStr;

use nkeys::{KeyPair, KeyPairType};
use serde::{Deserialize, Serialize};

use crate::credentials::{self, authority};

/// What the keys of one kind are for.
pub trait Purpose {
    const KIND: KeyPairType;
    /// The first letter of every public key of this kind.
    const LETTER: char;
    /// As in "a public key of …".
    const OF: &'static str;
}

/// Signs. Not `Debug`: it holds a secret.
pub struct SigningKey<P> {
    pair: KeyPair,
    public: PublicKey<P>,
}

impl<P: Purpose> SigningKey<P> {
    /// The key in a file that only its owner may read, made if there is none.
    pub fn open(path: &Path) -> Result<Self, credentials::Error> {
        authority::key(path, P::KIND).map(Self::from)
    }

    /// A key that is kept nowhere.
    #[must_use]
    pub fn generate() -> Self {
        KeyPair::new(P::KIND).into()
    }

    #[must_use]
    pub const fn public(&self) -> &PublicKey<P> {
        &self.public
    }

    /// The same key, for a file that needs it whole.
    pub(crate) const fn pair(&self) -> &KeyPair {
        &self.pair
    }

    /// The signature as text.
    pub(crate) fn sign(&self, statement: &[u8]) -> Result<String, SignError> {
        let signature = self.pair.sign(statement);
        signature.map(hex::encode).map_err(SignError)
    }
}

/// What is kept is no whole key.
#[derive(Debug, thiserror::Error)]
#[error("the key cannot sign")]
pub struct SignError(#[source] pub(crate) nkeys::error::Error);

impl<P> From<KeyPair> for SigningKey<P> {
    fn from(pair: KeyPair) -> Self {
        let public = PublicKey(pair.public_key(), PhantomData);
        Self { pair, public }
    }
}

/// What a signature names its signer by, and what a person pins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(
    try_from = "String",
    into = "String",
    bound(serialize = "P: Clone", deserialize = "P: Purpose")
)]
pub struct PublicKey<P>(String, PhantomData<P>);

/// A text that is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a public key of {of}: it begins with {letter} and has 56 characters")]
pub struct NotAKey {
    text: String,
    of: &'static str,
    letter: char,
}

impl<P> PublicKey<P> {
    pub(crate) fn verifies(&self, statement: &[u8], signature: &str) -> bool {
        let Ok(signature) = hex::decode(signature) else {
            return false;
        };
        KeyPair::from_public_key(&self.0).is_ok_and(|key| key.verify(statement, &signature).is_ok())
    }
}

impl<P: Purpose> FromStr for PublicKey<P> {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        match KeyPair::from_public_key(text) {
            // One key has one name: what reads as the same key in other letters is none.
            Ok(key) if key.public_key() == text && text.starts_with(P::LETTER) => {
                Ok(Self(text.to_owned(), PhantomData))
            }
            _ => Err(NotAKey {
                text: text.to_owned(),
                of: P::OF,
                letter: P::LETTER,
            }),
        }
    }
}

impl<P> fmt::Display for PublicKey<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<P: Purpose> TryFrom<String> for PublicKey<P> {
    type Error = NotAKey;

    fn try_from(text: String) -> Result<Self, NotAKey> {
        text.parse()
    }
}

impl<P> From<PublicKey<P>> for String {
    fn from(key: PublicKey<P>) -> Self {
        key.0
    }
}
