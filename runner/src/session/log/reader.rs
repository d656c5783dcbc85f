//! Reads rows while the writer writes, for the relay.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use nats::client::EventRow;
use nats::ids::EventId;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use serde::Deserialize;

use super::error::Error;
use super::retention;
use super::writer::Identity;

/// Reads rows while the writer writes.
pub struct Reader {
    /// Locked by nobody else: the relay's task moves between threads and a connection may not be shared.
    connection: Mutex<Connection>,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|source| Error::Open {
                path: path.to_owned(),
                source,
            })?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    /// The rows after `seq`, at most `rows_max` and about `bytes_max` bytes of them (one at least), each with the
    /// object it needs. That they are no longer kept is an error, never a gap.
    pub fn rows_after(
        &self,
        identity: &Identity,
        seq: u64,
        rows_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<(EventRow, Option<String>)>, Error> {
        let connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection
            .prepare_cached(
                "SELECT seq, type, body, object FROM log WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            )
            .map_err(Error::Read)?;
        let mut rows = statement
            .query(params![
                seq.cast_signed(),
                i64::try_from(rows_max).unwrap_or(i64::MAX)
            ])
            .map_err(Error::Read)?;
        let (mut found, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next().map_err(Error::Read)? {
            let body: Vec<u8> = row.get(2).map_err(Error::Read)?;
            bytes += body.len();
            if !found.is_empty() && bytes > bytes_max {
                break;
            }
            let event = EventRow {
                epoch: identity.epoch,
                seq: row.get::<_, i64>(0).map_err(Error::Read)?.cast_unsigned(),
                event_type: row.get(1).map_err(Error::Read)?,
                body: Bytes::from(body),
            };
            found.push((event, row.get(3).map_err(Error::Read)?));
        }
        let is_next = |row: &(EventRow, Option<String>)| row.0.seq == seq + 1;
        if !found.first().is_some_and(is_next) {
            let pruned = retention::up_to(&connection).map_err(Error::Read)?;
            if pruned > seq {
                return Err(Error::RowsGone {
                    wanted: seq + 1,
                    oldest: pruned + 1,
                });
            }
        }
        Ok(found)
    }

    /// The id of the event with this seq; `None` when there is none, or none any more.
    pub fn id_of(&self, seq: u64) -> Result<Option<EventId>, Error> {
        #[derive(Deserialize)]
        struct Body {
            id: EventId,
        }
        let connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let body: Option<Vec<u8>> = connection
            .prepare_cached("SELECT body FROM log WHERE seq = ?1")
            .and_then(|mut it| {
                it.query_row([seq.cast_signed()], |row| row.get(0))
                    .optional()
            })
            .map_err(Error::Read)?;
        let Some(body) = body else {
            return Ok(None);
        };
        serde_json::from_slice::<Body>(&body)
            .map(|body| Some(body.id))
            .map_err(|source| Error::Malformed {
                what: "event",
                source,
            })
    }
}
