//! The key that signs checkpoints. Each coordinator has one of its own, made once.

use nkeys::KeyPairType;

use crate::signing::{PublicKey, Purpose, SigningKey};

pub type AuditKey = SigningKey<Checkpoints>;
pub type AuditPublicKey = PublicKey<Checkpoints>;

/// What these keys sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Checkpoints {}

impl Purpose for Checkpoints {
    const KIND: KeyPairType = KeyPairType::Account;
    const LETTER: char = 'A';
    const OF: &'static str = "an audit";
}
