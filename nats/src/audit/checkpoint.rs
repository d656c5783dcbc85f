//! A signed word on the chain: "up to here, these were the records". Itself a record, stored right behind the last one
//! that it covers.

use serde::{Deserialize, Serialize};

use super::key::{AuditKey, AuditPublicKey};
use super::link::{Link, Stored};
use super::marks::Marks;
use crate::signing::SignError;
use crate::subject;
use crate::timestamp::Timestamp;

/// The form that this build writes and reads.
const VERSION: u8 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    pub v: u8,
    /// The first record since the checkpoint before, which is that checkpoint itself; 1 where there is none.
    pub from: u64,
    /// The last record that it covers.
    pub through: u64,
    /// The link of that one, and so of everything before.
    pub link: Link,
    /// The beginnings of the links between `from` and `through`, one for each `stride` records: where to look when
    /// something was changed.
    pub stride: u64,
    pub marks: String,
    pub at: Timestamp,
    pub key: AuditPublicKey,
    pub signature: String,
}

/// Why a record on a checkpoint's subject is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotACheckpoint {
    #[error("it cannot be read")]
    Unreadable,
    #[error("it is of a form that this version does not know")]
    Newer,
    #[error("it says something else than its subject")]
    OtherSubject,
    #[error("its signature is not that of the key it names")]
    Signature,
}

impl Checkpoint {
    pub(super) fn sign(
        key: &AuditKey,
        (from, through): (u64, u64),
        link: Link,
        marks: &Marks,
        at: Timestamp,
    ) -> Result<Self, SignError> {
        let mut checkpoint = Self {
            v: VERSION,
            from,
            through,
            link,
            stride: marks.stride(),
            marks: marks.text(),
            at,
            key: key.public().clone(),
            signature: String::new(),
        };
        checkpoint.signature = key.sign(checkpoint.statement().as_bytes())?;
        Ok(checkpoint)
    }

    /// Where it is stored: one place for each signer and record.
    #[must_use]
    pub fn subject(&self) -> String {
        subject::checkpoint(&self.key, self.through)
    }

    /// Reads a record that stands where checkpoints do, and believes it only with its signature.
    pub fn read(stored: &Stored) -> Result<Self, NotACheckpoint> {
        #[derive(Deserialize)]
        struct Form {
            v: u8,
        }
        match serde_json::from_slice(&stored.payload) {
            Ok(Form { v: VERSION }) => {}
            Ok(Form { .. }) => return Err(NotACheckpoint::Newer),
            Err(_) => return Err(NotACheckpoint::Unreadable),
        }
        let checkpoint: Self =
            serde_json::from_slice(&stored.payload).map_err(|_| NotACheckpoint::Unreadable)?;
        if checkpoint.subject() != stored.subject {
            return Err(NotACheckpoint::OtherSubject);
        }
        if !checkpoint
            .key
            .verifies(checkpoint.statement().as_bytes(), &checkpoint.signature)
        {
            return Err(NotACheckpoint::Signature);
        }
        Ok(checkpoint)
    }

    pub(super) fn read_marks(&self) -> Option<Marks> {
        Marks::read(self.stride, &self.marks)
    }

    /// What is signed: every field on a line of its own, so that it does not depend on how JSON is written.
    fn statement(&self) -> String {
        let Self {
            v,
            from,
            through,
            link,
            stride,
            marks,
            at,
            key,
            signature: _,
        } = self;
        format!(
            "flotilla audit checkpoint {v}\n{from}\n{through}\n{link}\n{stride}\n{marks}\n{at}\n{key}\n"
        )
    }
}
