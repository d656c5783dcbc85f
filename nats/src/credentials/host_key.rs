//! The key of one host: made on it, and never anywhere else.

use nkeys::KeyPairType;

use super::{CredsFile, creds_file};
use crate::signing::{PublicKey, Purpose, SigningKey};

/// The secret with which a host proves that it is the one that was let in.
pub type HostKey = SigningKey<Hosts>;
pub type HostPublicKey = PublicKey<Hosts>;

/// What these keys sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hosts {}

impl Purpose for Hosts {
    const KIND: KeyPairType = KeyPairType::User;
    const LETTER: char = 'U';
    const OF: &'static str = "a host";
}

impl HostKey {
    /// The text of the file with which NATS clients sign in by this key.
    pub fn creds(&self, jwt: &str) -> Result<String, creds_file::Error> {
        creds_file::render(jwt, self.pair())
    }
}

impl From<CredsFile> for HostKey {
    fn from(file: CredsFile) -> Self {
        Self::from(file.key)
    }
}
