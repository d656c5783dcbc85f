//! What the server does with one session's publishes, in memory: compare-and-set, batches, limits, and losing its tail.
//!
//! A test holds it to the real nats-server; the schedules of the relay and of whole sessions run against it.

use nats::client::PublishError;

use super::machine::{Last, Located, Manner, Position, Published, Trouble};

/// One stored event of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    pub stream_sequence: u64,
    pub epoch: u64,
    pub seq: u64,
    /// Whether it is the owner's that a test looks at.
    pub ours: bool,
}

/// A publish as it reaches the server, possibly long after it was given up.
#[derive(Debug, Clone)]
pub(crate) struct Publish {
    pub expected: u64,
    pub epoch: u64,
    pub seqs: Vec<u64>,
    pub batch: bool,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Server {
    /// The session's, oldest first.
    pub events: Vec<Stored>,
    /// Of the whole stream, in which others write as well.
    pub stream_sequence: u64,
    pub refuses_batches: bool,
    pub is_full: bool,
}

impl Publish {
    pub(crate) fn new(
        epoch: u64,
        after: Position,
        manner: Manner,
        newest: u64,
        rows_max: usize,
    ) -> Self {
        let (most, batch) = match manner {
            Manner::Singles { rows_max } => (rows_max, false),
            Manner::Batch { rows_max } => (rows_max, true),
        };
        Self {
            expected: after.stream_sequence,
            epoch,
            seqs: (after.seq + 1..=newest).take(most.min(rows_max)).collect(),
            batch: batch && newest - after.seq > 8,
        }
    }
}

impl Server {
    pub(crate) fn last(&self) -> Option<&Stored> {
        self.events.last()
    }

    pub(crate) fn locate(&self) -> Located {
        self.last().map_or(Located::Nothing, |last| {
            Located::Last(Last {
                epoch: last.epoch,
                position: Position {
                    seq: last.seq,
                    stream_sequence: last.stream_sequence,
                },
                ours: last.ours,
            })
        })
    }

    /// How many were stored, the newest's stream sequence, and what ended it, as the client says it.
    pub(crate) fn publish(&mut self, publish: &Publish) -> (usize, u64, Result<(), PublishError>) {
        let refused = |error| (0, publish.expected, Err(error));
        if publish.batch {
            if self.refuses_batches {
                return refused(PublishError::BatchRefused(String::new()));
            }
            if let Err(error) = self.may_follow(publish.expected) {
                return refused(error);
            }
            for seq in &publish.seqs {
                self.store(publish.epoch, *seq, true);
            }
            return (publish.seqs.len(), self.stream_sequence, Ok(()));
        }
        let mut newest = publish.expected;
        for (stored, seq) in publish.seqs.iter().enumerate() {
            if let Err(error) = self.may_follow(newest) {
                return (stored, newest, Err(error));
            }
            newest = self.store(publish.epoch, *seq, true);
        }
        (publish.seqs.len(), newest, Ok(()))
    }

    /// A publish of which nobody hears what became of it.
    pub(crate) fn publish_unheard(&mut self, publish: &Publish) {
        let (_, _, _unheard) = self.publish(publish);
    }

    pub(crate) fn store(&mut self, epoch: u64, seq: u64, ours: bool) -> u64 {
        self.stream_sequence += 1;
        self.events.push(Stored {
            stream_sequence: self.stream_sequence,
            epoch,
            seq,
            ours,
        });
        self.stream_sequence
    }

    /// As from a backup: the newest events of the session are gone, and their numbers are given out again.
    pub(crate) fn lose(&mut self, events: usize) {
        let kept = self.events.len().saturating_sub(events);
        self.events.truncate(kept);
        self.stream_sequence = self.last().map_or(0, |last| last.stream_sequence);
    }

    fn may_follow(&self, expected: u64) -> Result<(), PublishError> {
        if expected != self.last().map_or(0, |last| last.stream_sequence) {
            return Err(PublishError::WrongLastSequence);
        }
        if self.is_full {
            return Err(PublishError::NoRoom(String::new()));
        }
        Ok(())
    }
}

/// As the shell tells the machine of it.
pub(crate) fn published(
    publish: &Publish,
    stored: usize,
    sequence: u64,
    result: Result<(), PublishError>,
) -> Published {
    let newest = stored.checked_sub(1).map(|last| publish.seqs[last]);
    Published {
        stored: newest.map(|seq| Position {
            seq,
            stream_sequence: sequence,
        }),
        ended: result.map_err(|error| match error {
            PublishError::WrongLastSequence => Trouble::WrongLast,
            PublishError::TimedOut => Trouble::NoAnswer,
            PublishError::BatchRefused(_) => Trouble::BatchRefused,
            PublishError::NoRoom(_) | PublishError::Refused(_) => Trouble::NotTaken,
        }),
    }
}
