//! The seal of a command: whose it is, provable at the host that carries it out.
//!
//! NATS tells a host only that somebody could publish. The seal binds every byte of a command to its subject, and so to
//! host, session, type and id; what a stranger writes, or moves to another host, has none.

use async_nats::HeaderMap;
use nkeys::KeyPairType;

use crate::signing::{NotAKey, PublicKey, Purpose, SignError, SigningKey};

const SIGNATURE: &str = "Fleet-Sig";
const KEY: &str = "Fleet-Key";

/// The secret that commands are sealed with. All coordinators of a fleet have the same, or each its own.
pub type CommandKey = SigningKey<Commands>;
pub type CommandPublicKey = PublicKey<Commands>;

/// What these keys sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Commands {}

impl Purpose for Commands {
    /// The letter is what matters: no NATS of ours has a key of this kind.
    const KIND: KeyPairType = KeyPairType::Cluster;
    const LETTER: char = 'C';
    const OF: &'static str = "commands";
}

/// Why a command is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsealed {
    #[error("it is not signed")]
    Missing,
    #[error("it names a signer that is none")]
    NotAKey(#[source] NotAKey),
    #[error("it is signed by `{0}`, whose commands this host does not take")]
    Stranger(CommandPublicKey),
    #[error("its signature is of something else")]
    Broken,
}

/// Whose commands a host carries out: one key, or two while one takes the other's place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commanders(Vec<CommandPublicKey>);

impl FromIterator<CommandPublicKey> for Commanders {
    fn from_iter<T: IntoIterator<Item = CommandPublicKey>>(keys: T) -> Self {
        Self(keys.into_iter().collect())
    }
}

impl Commanders {
    /// Whether one of them has sealed exactly this.
    pub(crate) fn check(
        &self,
        headers: Option<&HeaderMap>,
        subject: &str,
        body: &[u8],
    ) -> Result<(), Unsealed> {
        let text = |name: &str| headers?.get(name).map(|value| value.as_str());
        let (Some(key), Some(signature)) = (text(KEY), text(SIGNATURE)) else {
            return Err(Unsealed::Missing);
        };
        let key: CommandPublicKey = key.parse().map_err(Unsealed::NotAKey)?;
        if !self.0.contains(&key) {
            return Err(Unsealed::Stranger(key));
        }
        if key.verifies(&statement(subject, body), signature) {
            Ok(())
        } else {
            Err(Unsealed::Broken)
        }
    }
}

/// The headers that seal a command.
pub fn seal(key: &CommandKey, subject: &str, body: &[u8]) -> Result<HeaderMap, SignError> {
    let mut headers = HeaderMap::new();
    headers.insert(KEY, key.public().to_string());
    headers.insert(SIGNATURE, key.sign(&statement(subject, body))?);
    Ok(headers)
}

/// What is signed. A subject has no line break, so no other pair reads the same.
fn statement(subject: &str, body: &[u8]) -> Vec<u8> {
    let mut statement = format!("flotilla command 1\n{subject}\n").into_bytes();
    statement.extend_from_slice(body);
    statement
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: &str = "fleet.vps-1.ses_1.command.gate.decide.cmd_1";
    const BODY: &[u8] = br#"{"id":"cmd_1"}"#;

    #[test]
    fn only_what_one_of_them_has_sealed_is_believed() {
        let (ours, before, stranger) = (
            CommandKey::generate(),
            CommandKey::generate(),
            CommandKey::generate(),
        );
        let commanders: Commanders = [&ours, &before]
            .map(|key| key.public().clone())
            .into_iter()
            .collect();
        for key in [&ours, &before] {
            let headers = seal(key, SUBJECT, BODY).unwrap();
            assert_eq!(commanders.check(Some(&headers), SUBJECT, BODY), Ok(()));
        }
        let headers = seal(&stranger, SUBJECT, BODY).unwrap();
        assert_eq!(
            commanders.check(Some(&headers), SUBJECT, BODY),
            Err(Unsealed::Stranger(stranger.public().clone()))
        );
        assert_eq!(
            commanders.check(None, SUBJECT, BODY),
            Err(Unsealed::Missing)
        );
        assert_eq!(
            Commanders::default().check(Some(&headers), SUBJECT, BODY),
            Err(Unsealed::Stranger(stranger.public().clone()))
        );
    }

    #[test]
    fn a_seal_holds_for_one_subject_and_one_body() {
        let key = CommandKey::generate();
        let commanders: Commanders = [key.public().clone()].into_iter().collect();
        let headers = seal(&key, SUBJECT, BODY).unwrap();
        let other_host = SUBJECT.replace("vps-1", "vps-2");
        for (subject, body) in [
            (other_host.as_str(), BODY),
            (SUBJECT, &br#"{"id":"cmd_2"}"#[..]),
            (SUBJECT, b""),
        ] {
            assert_eq!(
                commanders.check(Some(&headers), subject, body),
                Err(Unsealed::Broken),
                "{subject}"
            );
        }
    }

    #[test]
    fn a_signer_under_anothers_name_is_none() {
        let (ours, stranger) = (CommandKey::generate(), CommandKey::generate());
        let commanders: Commanders = [ours.public().clone()].into_iter().collect();
        let mut headers = seal(&stranger, SUBJECT, BODY).unwrap();
        headers.insert(KEY, ours.public().to_string());
        assert_eq!(
            commanders.check(Some(&headers), SUBJECT, BODY),
            Err(Unsealed::Broken)
        );
        headers.insert(KEY, "somebody");
        assert!(matches!(
            commanders.check(Some(&headers), SUBJECT, BODY),
            Err(Unsealed::NotAKey(_))
        ));
        let audit = crate::audit::AuditKey::generate();
        headers.insert(KEY, audit.public().to_string());
        assert!(matches!(
            commanders.check(Some(&headers), SUBJECT, BODY),
            Err(Unsealed::NotAKey(_))
        ));
    }
}
