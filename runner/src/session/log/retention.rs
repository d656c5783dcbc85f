//! How long a host keeps what EVENTS holds as well, and how it lets go of it.
//!
//! Rows stay for some time after they were acknowledged: a server that was put back to an older state gets them again.
//! What was not acknowledged stays for as long as it takes, whatever its size.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nats::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::Error;
use super::writer::Log;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Since a row was acknowledged. A week: a backup of the server that is older than that is a new fleet.
    pub rows_for: Duration,
    /// Rows and their objects, of one session. A hundred sessions are then 6 GB at most; a session of ten thousand
    /// events is about 20 MB.
    pub bytes_max: u64,
    /// Ids of commands: whoever sends one again does so within minutes, or after a host came back from a long absence.
    pub commands_for: Duration,
    /// Beyond this many the oldest ids go: more than a person gives a session in its life.
    pub commands_max: u32,
}

impl Kept {
    pub const STANDARD: Self = Self {
        rows_for: Duration::from_secs(7 * 24 * 3600),
        bytes_max: 64 * 1024 * 1024,
        commands_for: Duration::from_secs(30 * 24 * 3600),
        commands_max: 10_000,
    };
}

/// What was let go of.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// Everything up to this seq is gone from the host, now or since earlier.
    pub up_to: u64,
    pub commands: usize,
}

impl Log {
    /// Lets go of what EVENTS has held for long enough: rows up to `acknowledged` at most, with their files in
    /// `objects`, and ids of old commands. The file gets smaller.
    pub fn prune(
        &mut self,
        acknowledged: u64,
        objects: &Path,
        now: Timestamp,
        kept: &Kept,
    ) -> Result<Pruned, Error> {
        let before = up_to(self.connection()).map_err(Error::Read)?;
        let too_big = beyond_bytes(self.connection(), acknowledged, objects, kept.bytes_max)
            .map_err(Error::Read)?;
        let transaction = self.begin()?;
        let rows_since = now.milliseconds() - milliseconds(kept.rows_for);
        let write = || -> Result<Pruned, rusqlite::Error> {
            let too_old = note_acknowledged(&transaction, acknowledged, now, rows_since)?;
            let up_to = too_old.max(too_big).max(before);
            if up_to > before {
                transaction.execute("DELETE FROM log WHERE seq <= ?1", [up_to.cast_signed()])?;
                transaction.execute(
                    "INSERT INTO meta VALUES ('pruned', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1",
                    params![up_to.to_string().into_bytes()],
                )?;
                transaction.execute(
                    "DELETE FROM acknowledged WHERE seq <= ?1",
                    [up_to.cast_signed()],
                )?;
            }
            let commands = forget_commands(&transaction, now, kept)?;
            Ok(Pruned { up_to, commands })
        };
        let pruned = write().map_err(Error::Append)?;
        transaction.commit().map_err(Error::Append)?;
        if pruned.up_to > before {
            give_room_back(self.connection()).map_err(Error::Append)?;
            remove_objects(objects, pruned.up_to);
        }
        Ok(pruned)
    }
}

/// The newest seq that is not kept any more.
pub(super) fn up_to(connection: &Connection) -> Result<u64, rusqlite::Error> {
    let noted: Option<Vec<u8>> = connection
        .query_row("SELECT value FROM meta WHERE key = 'pruned'", [], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(noted
        .and_then(|text| String::from_utf8(text).ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or(0))
}

/// Remembers how far EVENTS reached by now, and says how far it had reached at `since`.
fn note_acknowledged(
    connection: &Connection,
    acknowledged: u64,
    now: Timestamp,
    since: i64,
) -> Result<u64, rusqlite::Error> {
    let noted: Option<i64> =
        connection.query_row("SELECT MAX(seq) FROM acknowledged", [], |row| row.get(0))?;
    if noted.is_none_or(|noted| noted.cast_unsigned() != acknowledged) && acknowledged > 0 {
        // What a server that was put back no longer has, it has not held since then either.
        connection.execute(
            "DELETE FROM acknowledged WHERE seq > ?1",
            [acknowledged.cast_signed()],
        )?;
        connection.execute(
            "INSERT INTO acknowledged VALUES (?1, ?2) ON CONFLICT (at) DO UPDATE SET seq = ?2",
            params![now.milliseconds(), acknowledged.cast_signed()],
        )?;
    }
    let held: Option<i64> = connection.query_row(
        "SELECT MAX(seq) FROM acknowledged WHERE at <= ?1",
        [since],
        |row| row.get(0),
    )?;
    Ok(held.unwrap_or(0).cast_unsigned().min(acknowledged))
}

/// The newest acknowledged row that, with those after it, is more than `bytes_max`.
fn beyond_bytes(
    connection: &Connection,
    acknowledged: u64,
    objects: &Path,
    bytes_max: u64,
) -> Result<u64, rusqlite::Error> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, LENGTH(body), object IS NOT NULL FROM log WHERE seq <= ?1 ORDER BY seq DESC",
    )?;
    let mut rows = statement.query([acknowledged.cast_signed()])?;
    let mut bytes = 0_u64;
    while let Some(row) = rows.next()? {
        let seq = row.get::<_, i64>(0)?.cast_unsigned();
        bytes += row.get::<_, i64>(1)?.cast_unsigned();
        if row.get(2)? {
            bytes += std::fs::metadata(object_path(objects, seq)).map_or(0, |file| file.len());
        }
        if bytes > bytes_max {
            return Ok(seq);
        }
    }
    Ok(0)
}

fn forget_commands(
    connection: &Connection,
    now: Timestamp,
    kept: &Kept,
) -> Result<usize, rusqlite::Error> {
    let old = connection.execute(
        "DELETE FROM inbox WHERE taken_at < ?1",
        [now.milliseconds() - milliseconds(kept.commands_for)],
    )?;
    let many = connection.execute(
        "DELETE FROM inbox WHERE command IN
            (SELECT command FROM inbox ORDER BY taken_at DESC, command DESC LIMIT -1 OFFSET ?1)",
        [kept.commands_max],
    )?;
    Ok(old + many)
}

fn give_room_back(connection: &Connection) -> Result<(), rusqlite::Error> {
    // Each row of the answer is one page given back; the checkpoint then cuts the file.
    let mut statement = connection.prepare("PRAGMA incremental_vacuum")?;
    let mut pages = statement.query([])?;
    while pages.next()?.is_some() {}
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

fn remove_objects(objects: &Path, up_to: u64) {
    let Ok(entries) = std::fs::read_dir(objects) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let seq = path
            .file_stem()
            .and_then(|stem| stem.to_str()?.parse::<u64>().ok());
        if seq.is_some_and(|seq| seq <= up_to)
            && let Err(error) = std::fs::remove_file(&path)
        {
            tracing::warn!(%error, path = %path.display(), "could not remove the object of an event that is no longer kept");
        }
    }
}

fn object_path(objects: &Path, seq: u64) -> PathBuf {
    objects.join(format!("{seq}.json"))
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
