//! The one writer: a batch of inputs becomes rows and positions in one transaction.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use super::apply::{Applied, Batch, Input};
use super::{Error, schema};

/// How far each stream is contained in the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Positions {
    pub events: Position,
    pub audit: Position,
}

/// The last message of a stream that is in the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position {
    /// 0 for none.
    pub sequence: u64,
    /// Of its body.
    pub print: String,
}

impl Position {
    #[must_use]
    pub fn of(sequence: u64, body: &[u8]) -> Self {
        Self {
            sequence,
            print: hex::encode(Sha256::digest(body)),
        }
    }
}

pub struct Writer {
    connection: Connection,
    path: PathBuf,
}

impl Writer {
    /// Opens the file, or an empty one in its place.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self {
            connection: schema::open(path)?,
            path: path.to_owned(),
        })
    }

    pub fn positions(&self) -> Result<Positions, Error> {
        let of = |stream: &str| {
            self.connection
                .query_row(
                    "SELECT sequence, print FROM positions WHERE stream = ?",
                    [stream],
                    |row| {
                        Ok(Position {
                            sequence: row.get(0)?,
                            print: row.get(1)?,
                        })
                    },
                )
                .optional()
                .map(Option::unwrap_or_default)
                .map_err(Error::Read)
        };
        Ok(Positions {
            events: of(nats::stream::EVENTS)?,
            audit: of(nats::stream::AUDIT)?,
        })
    }

    /// Forgets everything, because it is of another NATS.
    pub fn clear(&mut self) -> Result<(), Error> {
        schema::clear(&mut self.connection).map_err(Error::Write)
    }

    /// Applies a batch: all of it, with its positions, or nothing.
    pub fn apply(&mut self, inputs: Vec<Input>) -> Result<Applied, Error> {
        let applied = self.try_apply(inputs);
        if let Err(error) = &applied
            && error.is_damage()
        {
            // The next start would only find the same damage; with nothing there it builds the projection anew.
            tracing::error!(path = %self.path.display(), %error, "the projection is damaged: it is removed, to be built anew");
            if let Err(error) = schema::remove(&self.path) {
                tracing::error!(%error, "the damaged projection could not be removed");
            }
        }
        applied
    }

    fn try_apply(&mut self, inputs: Vec<Input>) -> Result<Applied, Error> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Error::Write)?;
        let mut batch = Batch::new(&transaction);
        for input in inputs {
            batch.take(input)?;
        }
        let (applied, positions) = batch.finish()?;
        for (stream, position) in [
            (nats::stream::EVENTS, positions.events),
            (nats::stream::AUDIT, positions.audit),
        ] {
            transaction
                .execute(
                    "INSERT INTO positions VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE \
                     SET sequence = ?2, print = ?3 WHERE sequence < ?2",
                    params![stream, position.sequence, position.print],
                )
                .map_err(Error::Write)?;
        }
        transaction.commit().map_err(Error::Write)?;
        Ok(applied)
    }
}
