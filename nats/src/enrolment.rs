//! How a host joins: the token that a person pastes, what the fleet keeps of it, and whose key the host has from then on.
//!
//! The token binds one host name, and through a fingerprint the keys whose commands the host will take: what stands
//! between it and the coordinator can change neither. The fleet keeps a hash of its secret alone.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::credentials::HostPublicKey;
use crate::ids::{HostName, UserId};
use crate::seal::CommandPublicKey;
use crate::timestamp::Timestamp;

/// Says in any log or file what this text is, so that scanners find a leaked one.
const PREFIX: &str = "flt-enrol";
const SECRET_BYTES: usize = 16;
const FINGERPRINT_BYTES: usize = 16;
/// Enough that one slip in a few thousand goes unseen here; the secret sees the others.
const CHECK_BYTES: usize = 3;

/// What a person pastes on the machine that is to join. Has no readable `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrolmentToken {
    pub host: HostName,
    secret: String,
    /// Of the keys whose commands the host will take.
    pub fingerprint: Fingerprint,
}

/// A text that is no such token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAToken {
    #[error("this is not an enrolment token: one begins with `{PREFIX}.`")]
    Other,
    #[error("this enrolment token is not whole: a part of it is missing or was changed")]
    Damaged,
}

/// The keys of commands in a few characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    #[must_use]
    pub fn of(keys: &[CommandPublicKey]) -> Self {
        let mut keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        keys.sort_unstable();
        keys.dedup();
        let digest = Sha256::digest(keys.join("\n"));
        Self(URL_SAFE_NO_PAD.encode(&digest[..FINGERPRINT_BYTES]))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl EnrolmentToken {
    /// A new one, of 128 bits of chance.
    #[must_use]
    pub fn new(host: HostName, keys: &[CommandPublicKey]) -> Self {
        let chance: [u8; SECRET_BYTES] = rand::random();
        Self {
            host,
            secret: URL_SAFE_NO_PAD.encode(chance),
            fingerprint: Fingerprint::of(keys),
        }
    }

    /// The key under which the fleet keeps what it knows of this token.
    #[must_use]
    pub fn key(&self) -> String {
        hex::encode(Sha256::digest(self.secret.as_bytes()))
    }

    /// For the one moment when it is shown.
    #[must_use]
    pub fn reveal(&self) -> String {
        let text = self.text();
        let check = check(&text);
        format!("{text}.{check}")
    }

    fn text(&self) -> String {
        let Self {
            host,
            secret,
            fingerprint,
        } = self;
        format!("{PREFIX}.{host}.{secret}.{fingerprint}")
    }
}

impl FromStr for EnrolmentToken {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let text = text.trim();
        let rest = text
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.strip_prefix('.'))
            .ok_or(NotAToken::Other)?;
        let [host, secret, fingerprint, told] = rest.split('.').collect::<Vec<_>>()[..] else {
            return Err(NotAToken::Damaged);
        };
        let token = Self {
            host: host.parse().map_err(|_| NotAToken::Damaged)?,
            secret: secret.to_owned(),
            fingerprint: Fingerprint(fingerprint.to_owned()),
        };
        if check(&token.text()) == told {
            Ok(token)
        } else {
            Err(NotAToken::Damaged)
        }
    }
}

impl fmt::Debug for EnrolmentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnrolmentToken({}, …)", self.host)
    }
}

/// So that a token that was not copied whole is told from one that is wrong.
fn check(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(text)[..CHECK_BYTES])
}

/// One token, and what became of it. Key: [`EnrolmentToken::key`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnrolmentRecord {
    /// The one name it serves for.
    pub host: HostName,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    pub created_at: Timestamp,
    pub created_by: UserId,
    pub created_by_name: String,
    pub expires_at: Timestamp,
    /// Whose commands the host will take. The token holds their fingerprint.
    pub command_keys: Vec<CommandPublicKey>,
    /// Set once, by whoever came first.
    #[serde(default)]
    pub redeemed: Option<Redeemed>,
}

/// Who a token let in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Redeemed {
    pub public_key: HostPublicKey,
    pub at: Timestamp,
}

/// Whose key a host has. Key: the host's name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IdentityRecord {
    pub host: HostName,
    pub public_key: HostPublicKey,
    pub enrolled_at: Timestamp,
    /// The person whose token it was.
    pub enrolled_by: UserId,
    pub enrolled_by_name: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::CommandKey;

    fn keys() -> Vec<CommandPublicKey> {
        [CommandKey::generate(), CommandKey::generate()]
            .map(|key| key.public().clone())
            .to_vec()
    }

    #[test]
    fn a_token_reads_back_and_is_one_word_for_a_shell() {
        let token = EnrolmentToken::new("vps-1".parse().unwrap(), &keys());
        let text = token.reveal();
        assert_eq!(text.parse(), Ok(token.clone()));
        assert_eq!(format!(" {text}\n").parse(), Ok(token.clone()));
        assert!(
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)),
            "{text}"
        );
        assert!(!format!("{token:?}").contains(&token.secret));
        assert!(!token.key().contains(&token.secret));
    }

    #[test]
    fn a_slip_of_the_pen_is_told_from_another_text() {
        let text = EnrolmentToken::new("vps-1".parse().unwrap(), &keys()).reveal();
        for slip in [
            text[..text.len() - 1].to_owned(),
            text.replace("vps-1", "vps-2"),
            text.replace("vps-1", "VPS 1"),
            format!("{text}x"),
            PREFIX.to_owned() + ".",
        ] {
            assert_eq!(
                slip.parse::<EnrolmentToken>(),
                Err(NotAToken::Damaged),
                "{slip}"
            );
        }
        for other in ["", "flt_0123456789", "vps-1"] {
            assert_eq!(
                other.parse::<EnrolmentToken>(),
                Err(NotAToken::Other),
                "{other}"
            );
        }
    }

    #[test]
    fn a_fingerprint_is_of_the_keys_and_not_of_their_order() {
        let keys = keys();
        let turned: Vec<_> = keys.iter().rev().cloned().collect();
        assert_eq!(Fingerprint::of(&keys), Fingerprint::of(&turned));
        assert_ne!(Fingerprint::of(&keys), Fingerprint::of(&keys[..1]));
    }
}
