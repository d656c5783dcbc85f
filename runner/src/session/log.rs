//! `session.db`: what a session was told, what it said, and where it stands, each step in one transaction.
//!
//! Owns the file's schema. One writer, the session's task; the relay reads through a connection of its own.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use nats::client::EventRow;
use nats::command::Order;
use nats::ids::{CommandId, HostName, SessionId};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::blocks::Blocks;
use super::machine::Machine;
use crate::agent::Adapter;
use crate::worktree::Snapshot;

const SCHEMA: &str = "
    CREATE TABLE log (seq INTEGER PRIMARY KEY, type TEXT NOT NULL, body BLOB NOT NULL, object TEXT) STRICT;
    CREATE TABLE inbox (command TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
";
const SCHEMA_VERSION: i64 = 1;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not open the session's database `{path}`")]
    Open {
        path: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    #[error(
        "`{path}` was written by another version of the runner (schema {found}, this one knows {SCHEMA_VERSION})"
    )]
    Version { path: PathBuf, found: i64 },
    #[error("could not write the session's log")]
    Append(#[source] rusqlite::Error),
    #[error("could not read the session's log")]
    Read(#[source] rusqlite::Error),
    #[error("what the session's log says of `{what}` cannot be understood")]
    Malformed {
        what: &'static str,
        #[source]
        source: serde_json::Error,
    },
    #[error("the session's log says nothing of `{0}`")]
    Missing(&'static str),
}

/// Who owns this log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub session: SessionId,
    pub host: HostName,
    pub epoch: u64,
}

/// Everything a restarted runner needs to go on as if nothing had happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Saved {
    pub machine: Machine,
    pub adapter: Adapter,
    /// Text of unfinished blocks, for those who watch.
    pub blocks: Blocks,
    /// How far the agent's stdout has been read, in bytes of its present process.
    pub position: u64,
    /// What was in the worktree when it was last looked at.
    #[serde(default)]
    pub snapshot: Option<Snapshot>,
}

/// One event, numbered and ready to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub seq: u64,
    pub event_type: String,
    /// The envelope as JSON.
    pub body: Vec<u8>,
    /// A file of the session's `objects` folder that must be stored before the row travels.
    pub object: Option<String>,
}

/// The writer.
pub struct Log {
    connection: Connection,
    path: PathBuf,
}

impl Log {
    /// A new log, with the command that began it. Called twice for one session, the first one stays.
    pub fn create(
        path: &Path,
        identity: &Identity,
        start: &Order,
        saved: &Saved,
    ) -> Result<Self, Error> {
        let mut log = Self {
            connection: open(path)?,
            path: path.to_owned(),
        };
        if log.meta("identity")?.is_none() {
            let identity = to_json("identity", identity)?;
            log.write(&[], saved, Some(start), Some(&identity))?;
        }
        Ok(log)
    }

    /// The log of a session that was here before.
    pub fn open(path: &Path) -> Result<(Self, Identity, Saved), Error> {
        let log = Self {
            connection: open(path)?,
            path: path.to_owned(),
        };
        let identity = log.meta("identity")?.ok_or(Error::Missing("identity"))?;
        let saved = log.meta("saved")?.ok_or(Error::Missing("saved"))?;
        Ok((
            log,
            from_json("identity", &identity)?,
            from_json("saved", &saved)?,
        ))
    }

    /// Keeps rows, state and the command that caused them, all or none. On disk when this returns.
    pub fn append(
        &mut self,
        rows: &[Row],
        saved: &Saved,
        order: Option<&Order>,
    ) -> Result<(), Error> {
        self.write(rows, saved, order, None)
    }

    /// Whether this command was taken before.
    pub fn knows(&self, command: CommandId) -> Result<bool, Error> {
        self.connection
            .prepare_cached("SELECT 1 FROM inbox WHERE command = ?1")
            .and_then(|mut statement| statement.exists(params![command.to_string()]))
            .map_err(Error::Read)
    }

    /// Notes that everything up to `seq` has left the host. Only a hint: the relay asks the server again.
    pub fn note_relayed(&self, seq: u64) -> Result<(), Error> {
        self.connection
            .execute(
                "INSERT INTO meta VALUES ('relayed', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1",
                params![seq.to_string().into_bytes()],
            )
            .map(|_| ())
            .map_err(Error::Append)
    }

    /// What [`Log::note_relayed`] noted last.
    pub fn relayed(&self) -> Result<u64, Error> {
        let noted = self.meta("relayed")?;
        Ok(noted
            .and_then(|text| String::from_utf8(text).ok())
            .and_then(|text| text.parse().ok())
            .unwrap_or(0))
    }

    /// A reader for the relay.
    pub fn reader(&self) -> Result<Reader, Error> {
        Reader::open(&self.path)
    }

    fn write(
        &mut self,
        rows: &[Row],
        saved: &Saved,
        order: Option<&Order>,
        identity: Option<&[u8]>,
    ) -> Result<(), Error> {
        let saved = to_json("saved", saved)?;
        let transaction = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(Error::Append)?;
        let set = "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2";
        if let Some(identity) = identity {
            transaction
                .execute(set, params!["identity", identity])
                .map_err(Error::Append)?;
        }
        transaction
            .prepare_cached(set)
            .and_then(|mut it| it.execute(params!["saved", saved]))
            .map_err(Error::Append)?;
        if let Some(order) = order {
            transaction
                .execute(
                    "INSERT INTO inbox VALUES (?1, ?2)",
                    params![order.id.to_string(), to_json("order", order)?],
                )
                .map_err(Error::Append)?;
        }
        for row in rows {
            transaction
                .prepare_cached("INSERT INTO log VALUES (?1, ?2, ?3, ?4)")
                .and_then(|mut it| {
                    it.execute(params![
                        row.seq.cast_signed(),
                        row.event_type,
                        row.body,
                        row.object
                    ])
                })
                .map_err(Error::Append)?;
        }
        transaction.commit().map_err(Error::Append)
    }

    fn meta(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.connection
            .query_row(
                "SELECT value FROM meta WHERE key = ?1",
                params![key],
                |row| row.get(0),
            )
            .optional()
            .map_err(Error::Read)
    }
}

/// Reads rows while the writer writes.
pub struct Reader {
    /// Locked by nobody else: the relay's task moves between threads and a connection may not be shared.
    connection: Mutex<Connection>,
}

impl Reader {
    fn open(path: &Path) -> Result<Self, Error> {
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
    /// object it needs.
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
        Ok(found)
    }
}

fn open(path: &Path) -> Result<Connection, Error> {
    let failed = |source| Error::Open {
        path: path.to_owned(),
        source,
    };
    let connection = Connection::open(path).map_err(failed)?;
    // An event that was shown must never be forgotten, so every commit reaches the disk.
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;",
        )
        .map_err(failed)?;
    let version: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(failed)?;
    match version {
        0 => connection
            .execute_batch(&format!(
                "BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            ))
            .map_err(failed)?,
        SCHEMA_VERSION => {}
        found => {
            return Err(Error::Version {
                path: path.to_owned(),
                found,
            });
        }
    }
    Ok(connection)
}

fn to_json<T: Serialize>(what: &'static str, value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|source| Error::Malformed { what, source })
}

fn from_json<T: for<'de> Deserialize<'de>>(what: &'static str, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|source| Error::Malformed { what, source })
}
