//! The tables of a `session.db`, and how an older file becomes one of today's.

use std::path::Path;

use nats::Timestamp;
use rusqlite::{Connection, params};

use super::error::Error;

const TABLES: &str = "
    CREATE TABLE log (seq INTEGER PRIMARY KEY, type TEXT NOT NULL, body BLOB NOT NULL, object TEXT) STRICT;
    CREATE TABLE inbox (command TEXT PRIMARY KEY, body BLOB NOT NULL, taken_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE acknowledged (at INTEGER PRIMARY KEY, seq INTEGER NOT NULL) STRICT;
";
/// Of every later change of the tables, one step.
const FROM_1_TO_2: &str = "
    ALTER TABLE inbox ADD COLUMN taken_at INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE acknowledged (at INTEGER PRIMARY KEY, seq INTEGER NOT NULL) STRICT;
";
pub(super) const VERSION: i64 = 2;

/// The file behind `path`, made or brought up to date where needed.
pub(super) fn open(path: &Path) -> Result<Connection, Error> {
    let failed = |source| Error::Open {
        path: path.to_owned(),
        source,
    };
    let connection = Connection::open(path).map_err(failed)?;
    // Incremental, so that removed rows give their room back; it holds for files that are made from here on.
    // An event that was shown must never be forgotten, so every commit reaches the disk. The write-ahead file does not
    // stay as large as the largest transaction was.
    connection
        .execute_batch(
            "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             PRAGMA busy_timeout = 5000; PRAGMA journal_size_limit = 4194304;",
        )
        .map_err(failed)?;
    let version: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(failed)?;
    match version {
        0 => connection
            .execute_batch(&format!(
                "BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"
            ))
            .map_err(failed)?,
        1 => update(&connection).map_err(failed)?,
        VERSION => {}
        found => {
            return Err(Error::Version {
                path: path.to_owned(),
                found,
            });
        }
    }
    Ok(connection)
}

fn update(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.execute_batch(&format!("BEGIN; {FROM_1_TO_2}"))?;
    connection.execute(
        "UPDATE inbox SET taken_at = ?1",
        params![Timestamp::now().milliseconds()],
    )?;
    connection.execute_batch(&format!("PRAGMA user_version = {VERSION}; COMMIT;"))?;
    // An older file learns to give room back only by being written anew, once.
    connection.execute_batch("VACUUM")
}
