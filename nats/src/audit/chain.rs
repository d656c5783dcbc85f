//! The walk along the records, one after another. Checkpointers and verifiers do the same one, so that they cannot
//! disagree.

use super::checkpoint::Checkpoint;
use super::key::{AuditKey, AuditPublicKey};
use super::link::{Link, Stored};
use super::marks::Marks;
use super::wrong::Wrong;
use crate::signing::SignError;
use crate::subject;
use crate::timestamp::Timestamp;

/// Where a walk stands.
#[derive(Debug, Clone)]
pub struct Chain {
    /// The last record that was taken.
    sequence: u64,
    link: Link,
    /// The first record that the next checkpoint tells apart.
    from: u64,
    marks: Marks,
    /// Records since the last checkpoint, other than checkpoints.
    unsigned: u64,
}

impl Default for Chain {
    /// Before the first record.
    fn default() -> Self {
        Self {
            sequence: 0,
            link: Link::START,
            from: 1,
            marks: Marks::new(),
            unsigned: 0,
        }
    }
}

impl Chain {
    /// Goes on behind a checkpoint by `own`, who walked all that is before it. What others signed is no place to go on
    /// from: it would be signed without having been seen.
    #[must_use]
    pub fn resume(stored: &Stored, own: &AuditPublicKey) -> Option<Self> {
        let checkpoint = Checkpoint::read(stored).ok()?;
        let behind = checkpoint.through.checked_add(1) == Some(stored.sequence);
        (behind && checkpoint.key == *own).then(|| {
            let mut chain = Self {
                sequence: checkpoint.through,
                link: checkpoint.link,
                ..Self::default()
            };
            chain.advance(stored, true);
            chain
        })
    }

    /// Takes the next record. The checkpoint that it is, if it is one and signs what was taken so far. What is wrong is
    /// told, and taken all the same.
    pub fn take(&mut self, stored: &Stored) -> Result<Option<Checkpoint>, Wrong> {
        let checked = self.check(stored);
        self.advance(stored, matches!(checked, Ok(Some(_))));
        checked
    }

    /// Signs all that was taken. To be stored right behind the last one.
    pub fn sign(&self, key: &AuditKey, at: Timestamp) -> Result<Checkpoint, SignError> {
        let span = (self.from, self.sequence);
        Checkpoint::sign(key, span, self.link, &self.marks, at)
    }

    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    #[must_use]
    pub const fn link(&self) -> Link {
        self.link
    }

    /// How many records no checkpoint covers. Checkpoints do not count: signing them would never end.
    #[must_use]
    pub const fn unsigned(&self) -> u64 {
        self.unsigned
    }

    fn advance(&mut self, stored: &Stored, is_checkpoint: bool) {
        self.sequence = stored.sequence;
        self.link = self.link.then(stored);
        if is_checkpoint {
            self.from = stored.sequence;
            self.marks = Marks::new();
            self.unsigned = 0;
        } else if !subject::is_checkpoint(&stored.subject) {
            self.unsigned += 1;
        }
        self.marks.add(&self.link);
    }

    fn check(&self, stored: &Stored) -> Result<Option<Checkpoint>, Wrong> {
        let (expected, found) = (self.sequence.saturating_add(1), stored.sequence);
        if found > expected {
            return Err(Wrong::Missing { expected, found });
        }
        if found < expected {
            return Err(Wrong::Again { expected, found });
        }
        if !subject::is_checkpoint(&stored.subject) {
            return Ok(None);
        }
        let checkpoint = Checkpoint::read(stored).map_err(|why| Wrong::Checkpoint {
            sequence: found,
            why,
        })?;
        if checkpoint.through == self.sequence && checkpoint.link == self.link {
            return Ok(Some(checkpoint));
        }
        Err(self.difference(&checkpoint, found))
    }

    /// The first record that is not what a checkpoint at `sequence` signed.
    fn difference(&self, signed: &Checkpoint, sequence: u64) -> Wrong {
        let unreadable = || Wrong::Checkpoint {
            sequence,
            why: super::NotACheckpoint::Unreadable,
        };
        if signed.through < self.from || signed.from >= sequence {
            // Of a time before the last checkpoint, or of one that has not come: a copy.
            return Wrong::Misplaced {
                sequence,
                through: signed.through,
            };
        }
        if signed.from > self.from {
            return Wrong::CheckpointGone {
                sequence: signed.from,
            };
        }
        if signed.from < self.from {
            // Where the last checkpoint stands, none stood when this one was signed.
            return Wrong::Changed {
                first: self.from,
                last: self.from,
            };
        }
        let Some(marks) = signed.read_marks() else {
            return unreadable();
        };
        let (first, last) = self.marks.first_difference(&marks);
        let first = self.from.saturating_add(first);
        let end = self.sequence.max(signed.through);
        Wrong::Changed {
            first,
            last: self.from.saturating_add(last).min(end).max(first),
        }
    }
}
