//! Walks an export and says whether it is what was signed.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::chain::Chain;
use super::export::{NotALine, Reader};
use super::key::AuditPublicKey;
use super::link::{Link, Stored};
use super::wrong::Wrong;

/// A record and its link, which somebody kept outside the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    pub sequence: u64,
    pub link: Link,
}

/// What the one who asks knows already, and holds the export to.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The only keys whose checkpoints count; all that sign, where it is empty.
    pub keys: Vec<AuditPublicKey>,
    pub kept: Vec<Kept>,
    /// The least record up to which it must be signed.
    pub signed_at_least: u64,
}

/// What was found, up to the end or to what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// All of them, checkpoints too.
    pub records: u64,
    pub checkpoints: u64,
    /// What the last checkpoint signs: the record to keep elsewhere.
    pub signed: Option<Kept>,
    pub signers: BTreeMap<AuditPublicKey, Signer>,
    /// Records behind the last checkpoint. Nobody vouches for them yet.
    pub unsigned: u64,
}

/// What one key has signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signer {
    pub checkpoints: u64,
    /// The last record that it covers.
    pub through: u64,
}

/// Takes an export piece by piece. Its memory does not grow with the export.
#[derive(Debug, Default)]
pub struct Verifier {
    wanted: Wanted,
    reader: Reader,
    chain: Chain,
    report: Report,
}

impl Verifier {
    #[must_use]
    pub fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            ..Self::default()
        }
    }

    /// Takes what comes next of the file. After something wrong nothing more can be said.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Wrong> {
        let mut reader = std::mem::take(&mut self.reader);
        let pushed = reader.push(piece, |stored| self.take(&stored).map_err(Found::Wrong));
        self.reader = reader;
        pushed.map_err(|found| self.named(found))
    }

    /// The end of the file.
    pub fn finish(&self) -> Result<(), Wrong> {
        self.reader
            .finish()
            .map_err(|line| self.named(line.into()))?;
        let last = self.chain.sequence();
        if let Some(kept) = self.wanted.kept.iter().find(|kept| kept.sequence > last) {
            return Err(Wrong::CutShort {
                sequence: last + 1,
                known: kept.sequence,
            });
        }
        let Some(signed) = self.report.signed else {
            return Err(Wrong::NothingSigned);
        };
        if signed.sequence < self.wanted.signed_at_least {
            return Err(Wrong::SignedTooLittle {
                sequence: signed.sequence + 1,
                at_least: self.wanted.signed_at_least,
            });
        }
        Ok(())
    }

    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.report
    }

    fn take(&mut self, stored: &Stored) -> Result<(), Wrong> {
        if let Some(checkpoint) = self.chain.take(stored)? {
            let keys = &self.wanted.keys;
            if !keys.is_empty() && !keys.contains(&checkpoint.key) {
                return Err(Wrong::UnknownKey {
                    sequence: stored.sequence,
                    key: checkpoint.key,
                });
            }
            self.report.checkpoints += 1;
            self.report.signed = Some(Kept {
                sequence: checkpoint.through,
                link: checkpoint.link,
            });
            let signer = self.report.signers.entry(checkpoint.key).or_default();
            signer.checkpoints += 1;
            signer.through = checkpoint.through;
        }
        self.report.records += 1;
        self.report.unsigned = self.chain.unsigned();
        let (sequence, link) = (self.chain.sequence(), self.chain.link());
        let kept = &self.wanted.kept;
        match kept.iter().find(|kept| kept.sequence == sequence) {
            Some(kept) if kept.link != link => Err(Wrong::NotAsKept { sequence }),
            _ => Ok(()),
        }
    }

    fn named(&self, found: Found) -> Wrong {
        match found {
            Found::Wrong(wrong) => wrong,
            Found::Line(NotALine(line)) => Wrong::Unreadable {
                sequence: self.chain.sequence() + 1,
                line,
            },
        }
    }
}

/// Not a record, or not the right one.
enum Found {
    Line(NotALine),
    Wrong(Wrong),
}

impl From<NotALine> for Found {
    fn from(line: NotALine) -> Self {
        Self::Line(line)
    }
}

/// A text that is not `SEQUENCE:LINK`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not what `audit verify` gave to keep, such as 1234:9f86d081…")]
pub struct NotKept(String);

impl FromStr for Kept {
    type Err = NotKept;

    fn from_str(text: &str) -> Result<Self, NotKept> {
        let read = || {
            let (sequence, link) = text.trim().split_once(':')?;
            Some(Self {
                sequence: sequence.parse().ok()?,
                link: link.parse().ok()?,
            })
        };
        read().ok_or_else(|| NotKept(text.to_owned()))
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, self.link)
    }
}
