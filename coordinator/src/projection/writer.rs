//! The one writer: a batch of inputs becomes rows and positions in one transaction.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::apply::{Applied, Batch, Input};
use super::{Error, schema};

/// How far each stream is contained in the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Positions {
    pub events: u64,
    pub audit: u64,
}

pub struct Writer {
    connection: Connection,
}

impl Writer {
    /// Opens the file, or an empty one in its place.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self {
            connection: schema::open(path)?,
        })
    }

    pub fn positions(&self) -> Result<Positions, Error> {
        let of = |stream: &str| {
            self.connection
                .query_row(
                    "SELECT sequence FROM positions WHERE stream = ?",
                    [stream],
                    |row| row.get::<_, u64>(0),
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

    /// Applies a batch: all of it, with its positions, or nothing.
    pub fn apply(&mut self, inputs: Vec<Input>) -> Result<Applied, Error> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Error::Write)?;
        let mut batch = Batch::new(&transaction);
        for input in inputs {
            batch.take(input)?;
        }
        let (applied, positions) = batch.finish()?;
        for (stream, sequence) in [
            (nats::stream::EVENTS, positions.events),
            (nats::stream::AUDIT, positions.audit),
        ] {
            transaction
                .execute(
                    "INSERT INTO positions VALUES (?1, ?2) \
                     ON CONFLICT DO UPDATE SET sequence = max(sequence, ?2)",
                    params![stream, sequence],
                )
                .map_err(Error::Write)?;
        }
        transaction.commit().map_err(Error::Write)?;
        Ok(applied)
    }
}
