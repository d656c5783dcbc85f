//! Tables, and the rule that a file of another shape is thrown away: there is nothing in it to migrate.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::Error;

/// Raise it with every change of a table or of what is folded into a row.
const VERSION: i64 = 4;

/// More than there are questions: each is understood once.
const STATEMENTS_MAX: usize = 64;

/// Pages that the write-ahead log may gather, 16 MB of them, before they are moved into the file. That waits for the disk, and
/// with the usual 1,000 a projection that is built would wait four times as often.
const LOG_PAGES: u32 = 4_000;

const TABLES: &str = "
-- How far each stream is contained in the rows below, and the hash of the last message: it tells the stream from
-- another one of the same name.
CREATE TABLE positions (stream TEXT PRIMARY KEY, sequence INTEGER NOT NULL, print TEXT NOT NULL) STRICT;

-- One row a session: its record as the bucket holds it, and what its events add up to.
CREATE TABLE sessions (
    id       TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    record   TEXT NOT NULL,
    facts    TEXT NOT NULL,
    host     TEXT NOT NULL,
    project  TEXT NOT NULL,
    ended    INTEGER NOT NULL,
    last_seq INTEGER NOT NULL
) STRICT;
-- What is asked again and again: those that are not over.
CREATE INDEX sessions_open ON sessions (host, id) WHERE ended = 0;

CREATE TABLE events (
    sequence INTEGER PRIMARY KEY,
    session  TEXT NOT NULL,
    seq      INTEGER NOT NULL,
    type     TEXT NOT NULL,
    body     TEXT NOT NULL,
    UNIQUE (session, seq)
) STRICT;
CREATE INDEX file_changes ON events (session, seq) WHERE type = 'file.changed';

-- Events whose session has no record here yet: streams and buckets arrive in any order.
CREATE TABLE unclaimed (
    sequence INTEGER PRIMARY KEY,
    session  TEXT NOT NULL,
    subject  TEXT NOT NULL,
    body     BLOB NOT NULL
) STRICT;
CREATE INDEX unclaimed_of ON unclaimed (session, sequence);

CREATE TABLE gates (
    id       TEXT PRIMARY KEY,
    session  TEXT NOT NULL,
    tool_use TEXT,
    -- pending, decided, withdrawn; null while only a decision of it is known.
    state    TEXT,
    -- 1 when a decision is recorded that neither host nor end of session has answered.
    unsettled INTEGER NOT NULL,
    facts    TEXT NOT NULL
) STRICT;
CREATE INDEX gates_by_state ON gates (state, id);
CREATE INDEX gates_of ON gates (session, tool_use);
CREATE INDEX gates_unsettled ON gates (id) WHERE unsettled = 1;

-- Messages that a session has taken into its keeping.
CREATE TABLE receipts (command TEXT PRIMARY KEY, session TEXT NOT NULL, seq INTEGER NOT NULL) STRICT;

-- Messages that people sent and that their session has not taken yet; `sequence` is of their audit record.
CREATE TABLE sent (command TEXT PRIMARY KEY, session TEXT NOT NULL, sequence INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX sent_of ON sent (session, sequence);

CREATE TABLE audit (sequence INTEGER PRIMARY KEY, action TEXT NOT NULL, session TEXT, body TEXT NOT NULL) STRICT;
CREATE INDEX audit_of ON audit (session, sequence);

CREATE TABLE hosts (host TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
";

/// Opens the file for writing. One of another version, or one that cannot be read, is replaced by an empty one.
pub(super) fn open(path: &Path) -> Result<Connection, Error> {
    match try_open(path) {
        Ok(Some(connection)) => return Ok(connection),
        Ok(None) => {
            tracing::info!(path = %path.display(), "the projection is of another version: building it anew")
        }
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "the projection cannot be used: building it anew");
        }
    }
    remove(path).map_err(|source| Error::Replace {
        path: path.to_owned(),
        source,
    })?;
    create(path).map_err(|source| Error::Open {
        path: path.to_owned(),
        source,
    })
}

/// Opens the file for reading only.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
        serve(&connection)?;
        Ok(connection)
    });
    opened.map_err(|source| Error::Open {
        path: path.to_owned(),
        source,
    })
}

/// Empties every table: what is in them is of another NATS.
pub(super) fn clear(connection: &mut Connection) -> Result<(), rusqlite::Error> {
    let transaction = connection.transaction()?;
    for table in [
        "positions",
        "sessions",
        "events",
        "unclaimed",
        "gates",
        "receipts",
        "sent",
        "audit",
        "hosts",
    ] {
        transaction.execute(&format!("DELETE FROM {table}"), [])?;
    }
    transaction.commit()
}

fn try_open(path: &Path) -> Result<Option<Connection>, rusqlite::Error> {
    if !path.exists() {
        return create(path).map(Some);
    }
    let connection = Connection::open(path)?;
    prepare(&connection)?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok((version == VERSION).then_some(connection))
}

fn create(path: &Path) -> Result<Connection, rusqlite::Error> {
    let mut connection = Connection::open(path)?;
    prepare(&connection)?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Losing the last moments to a power cut costs nothing here: they are read from NATS again.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    serve(connection)
}

/// What every connection is told.
fn serve(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // Plans are made of the question and not of what is asked for: else SQLite makes one anew for each value, which takes
    // longer than to answer.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map(|_| ())
}

pub(super) fn remove(path: &Path) -> std::io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(PathBuf::from(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_another_version_or_of_no_sense_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("projection.db");
        let rows = |connection: &Connection| {
            connection
                .query_row("SELECT count(*) FROM positions", [], |row| {
                    row.get::<_, i64>(0)
                })
                .unwrap()
        };
        let connection = open(&path).unwrap();
        connection
            .execute("INSERT INTO positions VALUES ('EVENTS', 7, 'x')", [])
            .unwrap();
        drop(connection);

        let connection = open(&path).unwrap();
        assert_eq!(rows(&connection), 1);
        connection
            .pragma_update(None, "user_version", VERSION + 1)
            .unwrap();
        drop(connection);

        let connection = open(&path).unwrap();
        assert_eq!(rows(&connection), 0);
        drop(connection);

        remove(&path).unwrap();
        fs::write(
            &path,
            "this was never a database, and it is long enough to be looked at",
        )
        .unwrap();
        assert_eq!(rows(&open(&path).unwrap()), 0);
    }
}
