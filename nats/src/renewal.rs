//! How a host stays believed: it asks every day for a new token of its own key.
//!
//! Over NATS the server vouches for who asks, by the subject. When NATS does not let the host in any more, it asks a
//! coordinator directly and signs a nonce with its key. Either way it gets a token of the key on record, whatever it says.

use serde::{Deserialize, Serialize};

use crate::credentials::{HostAuthority, HostKey, HostPublicKey};
use crate::ids::HostName;
use crate::signing::SignError;
use crate::timestamp::Timestamp;

/// As long as a slow line needs, and too short to be kept for later.
const NONCE_LIFE_MS: i64 = 60 * 1000;

/// What a host asks on its own subject. It says nothing that is believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewalRequest {
    pub v: u8,
}

/// What it is told there: one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewalAnswer {
    pub v: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewed: Option<Renewed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewed {
    pub jwt: String,
    pub expires_at: Timestamp,
}

/// Why not, for a log and for who reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub code: String,
    pub message: String,
}

/// What a host is to sign, once and soon. Any coordinator knows it for one of the fleet's.
pub fn nonce(authority: &HostAuthority, now: Timestamp) -> Result<String, SignError> {
    let chance: [u8; 16] = rand::random();
    let begun = format!("{}.{}", now.milliseconds(), hex::encode(chance));
    let signature = authority.sign(stamped(&begun).as_bytes())?;
    Ok(format!("{begun}.{signature}"))
}

/// Whether a nonce is of this fleet and of this minute.
#[must_use]
pub fn is_fresh(authority: &HostAuthority, nonce: &str, now: Timestamp) -> bool {
    let Some((begun, signature)) = nonce.rsplit_once('.') else {
        return false;
    };
    let made = begun
        .split('.')
        .next()
        .and_then(|made| made.parse::<i64>().ok());
    made.is_some_and(|made| (0..NONCE_LIFE_MS).contains(&(now.milliseconds() - made)))
        && authority.verifies(stamped(begun).as_bytes(), signature)
}

/// The signature that proves to be this host.
pub fn prove(key: &HostKey, host: &HostName, nonce: &str) -> Result<String, SignError> {
    key.sign(statement(host, nonce).as_bytes())
}

#[must_use]
pub fn is_proved(key: &HostPublicKey, host: &HostName, nonce: &str, signature: &str) -> bool {
    key.verifies(statement(host, nonce).as_bytes(), signature)
}

fn stamped(begun: &str) -> String {
    format!("flotilla nonce 1\n{begun}")
}

/// A name and a nonce have no line break, so no other pair reads the same.
fn statement(host: &HostName, nonce: &str) -> String {
    format!("flotilla renewal 1\n{host}\n{nonce}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Credentials;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_milliseconds(milliseconds)
    }

    #[test]
    fn a_nonce_is_of_one_fleet_and_of_one_minute() {
        let place = tempfile::tempdir().unwrap();
        let authority = |name: &str| {
            let folder = place.path().join(name);
            Credentials::create(&folder).unwrap();
            HostAuthority::open(&folder).unwrap().unwrap()
        };
        let (ours, other) = (authority("ours"), authority("other"));
        let made = nonce(&ours, at(1_000_000)).unwrap();
        assert!(is_fresh(&ours, &made, at(1_059_999)));
        for late in [999_999, 1_060_000] {
            assert!(!is_fresh(&ours, &made, at(late)), "{late}");
        }
        assert!(!is_fresh(&other, &made, at(1_000_001)));
        let later = made.replacen("1000000", "1060000", 1);
        for changed in [later.as_str(), "", "1.2", "1000000.aa.bb"] {
            assert!(!is_fresh(&ours, changed, at(1_060_001)), "{changed}");
        }
    }

    #[test]
    fn a_proof_is_of_one_key_one_name_and_one_nonce() {
        let (key, other) = (HostKey::generate(), HostKey::generate());
        let (host, another): (HostName, HostName) =
            ("vps-1".parse().unwrap(), "vps-2".parse().unwrap());
        let proof = prove(&key, &host, "n").unwrap();
        assert!(is_proved(key.public(), &host, "n", &proof));
        assert!(!is_proved(key.public(), &another, "n", &proof));
        assert!(!is_proved(key.public(), &host, "m", &proof));
        assert!(!is_proved(other.public(), &host, "n", &proof));
    }
}
