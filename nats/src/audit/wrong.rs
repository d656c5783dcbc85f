//! What is wrong with a chain, and at which record.

use super::checkpoint::NotACheckpoint;
use super::key::AuditPublicKey;

/// The first thing that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error("record {expected} is missing: record {found} stands in its place")]
    Missing { expected: u64, found: u64 },
    #[error("record {found} stands where record {expected} should")]
    Again { expected: u64, found: u64 },
    #[error("{} not what was signed: changed, moved, put in or taken out", records(*first, *last))]
    Changed { first: u64, last: u64 },
    #[error("record {sequence} was a checkpoint, and something else stands there")]
    CheckpointGone { sequence: u64 },
    #[error("record {sequence} is a checkpoint of record {through}, and stands in a wrong place")]
    Misplaced { sequence: u64, through: u64 },
    #[error("record {sequence} is not the checkpoint it should be: {why}")]
    Checkpoint { sequence: u64, why: NotACheckpoint },
    #[error(
        "record {sequence} is a checkpoint by {key}, which is none of the keys that were asked for"
    )]
    UnknownKey { sequence: u64, key: AuditPublicKey },
    #[error(
        "line {line}, where record {sequence} should be, is not a record as an export writes it"
    )]
    Unreadable { sequence: u64, line: u64 },
    #[error(
        "the link of record {sequence} is not the one that was kept: something up to it was changed and signed anew"
    )]
    NotAsKept { sequence: u64 },
    #[error("it is cut short: its last record is {}, and record {known} was known", sequence - 1)]
    CutShort { sequence: u64, known: u64 },
    #[error("it is signed up to record {}, and was asked to be up to {at_least}", sequence - 1)]
    SignedTooLittle { sequence: u64, at_least: u64 },
    #[error("nothing in it is signed")]
    NothingSigned,
}

impl Wrong {
    /// The record at which it was found; the first that is missing, where the end is.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        match self {
            Self::Missing {
                expected: sequence, ..
            }
            | Self::Again {
                expected: sequence, ..
            }
            | Self::Changed {
                first: sequence, ..
            }
            | Self::CheckpointGone { sequence }
            | Self::Misplaced { sequence, .. }
            | Self::Checkpoint { sequence, .. }
            | Self::UnknownKey { sequence, .. }
            | Self::Unreadable { sequence, .. }
            | Self::NotAsKept { sequence }
            | Self::CutShort { sequence, .. }
            | Self::SignedTooLittle { sequence, .. } => *sequence,
            Self::NothingSigned => 1,
        }
    }

    /// A word for programs.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::Again { .. } => "again",
            Self::Changed { .. } => "changed",
            Self::CheckpointGone { .. } => "checkpoint_gone",
            Self::Misplaced { .. } => "misplaced",
            Self::Checkpoint { .. } => "bad_checkpoint",
            Self::UnknownKey { .. } => "unknown_key",
            Self::Unreadable { .. } => "unreadable",
            Self::NotAsKept { .. } => "not_as_kept",
            Self::CutShort { .. } => "cut_short",
            Self::SignedTooLittle { .. } => "signed_too_little",
            Self::NothingSigned => "nothing_signed",
        }
    }
}

fn records(first: u64, last: u64) -> String {
    if first == last {
        format!("record {first} is")
    } else {
        format!("one of the records {first} to {last} is")
    }
}
