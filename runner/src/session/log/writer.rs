//! The writer: rows, state and the command that caused them reach the disk together or not at all.

use std::path::{Path, PathBuf};

use nats::Timestamp;
use nats::command::Order;
use nats::ids::{CommandId, HostName, SessionId};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use serde::{Deserialize, Serialize};

use super::super::blocks::Blocks;
use super::super::machine::Machine;
use super::error::Error;
use super::reader::Reader;
use super::schema;
use crate::agent::Adapter;
use crate::worktree::Snapshot;

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
            connection: schema::open(path)?,
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
            connection: schema::open(path)?,
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

    /// Whether there is a session in it. A power cut may leave a file of which nothing was acknowledged to anybody.
    pub fn is_begun(path: &Path) -> Result<bool, Error> {
        let log = Self {
            connection: schema::open(path)?,
            path: path.to_owned(),
        };
        Ok(log.meta("identity")?.is_some())
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

    pub(super) const fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn begin(&mut self) -> Result<Transaction<'_>, Error> {
        self.connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Error::Append)
    }

    fn write(
        &mut self,
        rows: &[Row],
        saved: &Saved,
        order: Option<&Order>,
        identity: Option<&[u8]>,
    ) -> Result<(), Error> {
        let saved = to_json("saved", saved)?;
        let transaction = self.begin()?;
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
            let body = to_json("order", order)?;
            let taken_at = Timestamp::now().milliseconds();
            transaction
                .prepare_cached("INSERT INTO inbox VALUES (?1, ?2, ?3)")
                .and_then(|mut it| it.execute(params![order.id.to_string(), body, taken_at]))
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

fn to_json<T: Serialize>(what: &'static str, value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|source| Error::Malformed { what, source })
}

fn from_json<T: for<'de> Deserialize<'de>>(what: &'static str, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|source| Error::Malformed { what, source })
}
