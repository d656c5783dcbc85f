//! Looks at a log from beside its writer: what is kept and how it hashes, all of one moment.

use std::path::Path;

use nats::report::{GROUP_ROWS, Grouping, LogReport, RowPrint};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

use super::error::Error;
use super::retention;
use super::writer::{Identity, Saved};

/// A log at one moment.
pub struct Inspected {
    pub report: LogReport,
    /// How far the agent's output has been read, and by which of its processes.
    pub position: u64,
    pub generation: u32,
}

/// What of the log is hashed: rows after `after` up to `up_to`, in ranges or one by one.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    pub after: u64,
    pub up_to: u64,
    pub rows: bool,
}

/// Reads the log behind `path`; none when no session was begun in it.
pub fn inspect(path: &Path, wanted: Wanted) -> Result<Option<Inspected>, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection =
        Connection::open_with_flags(path, flags).map_err(|source| Error::Open {
            path: path.to_owned(),
            source,
        })?;
    let moment = connection.transaction().map_err(Error::Read)?;
    let Some(identity) = meta::<Identity>(&moment, "identity")? else {
        return Ok(None);
    };
    let saved: Saved = meta(&moment, "saved")?.ok_or(Error::Missing("saved"))?;
    let pruned = retention::up_to(&moment).map_err(Error::Read)?;
    let (newest, rows_kept) = moment
        .query_row("SELECT MAX(seq), COUNT(*) FROM log", [], |row| {
            Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, i64>(1)?))
        })
        .map_err(Error::Read)?;
    let mut report = LogReport {
        epoch: identity.epoch,
        oldest: pruned + 1,
        newest: newest.map_or(pruned, i64::cast_unsigned),
        rows_kept: rows_kept.cast_unsigned(),
        given_out: saved.machine.seq(),
        ..LogReport::default()
    };
    hash(&moment, wanted, &mut report).map_err(Error::Read)?;
    Ok(Some(Inspected {
        report,
        position: saved.position,
        generation: saved.machine.generation(),
    }))
}

fn hash(
    connection: &Connection,
    wanted: Wanted,
    report: &mut LogReport,
) -> Result<(), rusqlite::Error> {
    // Row by row only as much as fits into one message.
    let limit = if wanted.rows {
        GROUP_ROWS.cast_signed()
    } else {
        -1
    };
    let mut statement = connection
        .prepare("SELECT seq, body FROM log WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3")?;
    let mut rows = statement.query(params![
        i64::try_from(wanted.after).unwrap_or(i64::MAX),
        i64::try_from(wanted.up_to).unwrap_or(i64::MAX),
        limit
    ])?;
    let mut grouping = Grouping::default();
    while let Some(row) = rows.next()? {
        let seq = row.get::<_, i64>(0)?.cast_unsigned();
        let print = RowPrint::of(seq, row.get_ref(1)?.as_bytes()?);
        if wanted.rows {
            report.rows.push(print);
        } else {
            grouping.push(&print);
        }
    }
    report.groups = grouping.finish();
    Ok(())
}

fn meta<T: serde::de::DeserializeOwned>(
    connection: &Connection,
    key: &'static str,
) -> Result<Option<T>, Error> {
    let kept: Option<Vec<u8>> = connection
        .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| {
            row.get(0)
        })
        .optional()
        .map_err(Error::Read)?;
    kept.map(|bytes| {
        serde_json::from_slice(&bytes).map_err(|source| Error::Malformed { what: key, source })
    })
    .transpose()
}
