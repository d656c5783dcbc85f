//! Every question that is asked of the projection. Plain functions of a connection, for [`super::Reader`].

use std::sync::Arc;

use nats::Envelope;
use nats::Timestamp;
use nats::event::{Event, FileChanged};
use nats::ids::{CommandId, GateId, HostName, SessionId};
use nats::record::HostRecord;
use nats::report::RowPrint;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use serde_json::value::RawValue;

use super::stored::{self, SESSION_COLUMNS, StoredGate, StoredSession};
use crate::api::{EventRow, GateState};
use crate::placement::{Held, Holding};

pub fn session(connection: &Connection, id: SessionId) -> Result<Option<StoredSession>> {
    let sql = format!("SELECT {SESSION_COLUMNS} FROM sessions WHERE id = ?");
    connection
        .prepare_cached(&sql)?
        .query_row([id.to_string()], stored::session)
        .optional()
}

/// What of the sessions a list wants.
#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    pub project: Option<String>,
    pub host: Option<HostName>,
    /// Only ended ones, or only those that are not.
    pub ended: Option<bool>,
    /// Only those made before this one.
    pub before: Option<SessionId>,
    pub limit: usize,
}

/// Newest first.
pub fn sessions(connection: &Connection, filter: &SessionFilter) -> Result<Vec<StoredSession>> {
    let sql = format!(
        "SELECT {SESSION_COLUMNS} FROM sessions WHERE {} AND {} AND {} AND {} ORDER BY id DESC LIMIT ?5",
        when(filter.project.is_some(), "project = ?1"),
        when(filter.host.is_some(), "host = ?2"),
        when(filter.ended.is_some(), "ended = ?3"),
        when(filter.before.is_some(), "id < ?4"),
    );
    let host = filter.host.as_ref().map(HostName::as_str);
    let before = filter.before.map(|id| id.to_string());
    let parameters = params![filter.project, host, filter.ended, before, filter.limit];
    connection
        .prepare_cached(&sql)?
        .query_map(parameters, stored::session)?
        .collect()
}

/// What each session that is not over takes of its host. One that waits has none.
pub fn sessions_held(connection: &Connection) -> Result<Vec<Held>> {
    connection
        .prepare_cached(
            "SELECT host, json_extract(record, '$.created_by'), json_extract(facts, '$.state'), \
             json_extract(facts, '$.reason') IS NOT NULL FROM sessions \
             WHERE ended = 0 AND host <> ?1 AND json_extract(record, '$.imported') IS NULL",
        )?
        .query_map([HostName::queued().as_str()], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, Option<String>>(2)?,
                row.get::<_, bool>(3)?,
            ))
        })?
        .filter_map(|row| {
            let held = |(host, by, state, has_reason): (String, String, Option<String>, bool)| {
                let told = state.and_then(|state| serde_json::from_value(state.into()).ok());
                Some(Held {
                    host: host.parse().ok()?,
                    by: by.parse().ok()?,
                    holding: Holding::of(told, has_reason),
                })
            };
            row.map(held).transpose()
        })
        .collect()
}

/// Whether any session waits for a host.
pub fn is_anything_queued(connection: &Connection) -> Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM sessions WHERE ended = 0 AND host = ? LIMIT 1")?
        .exists([HostName::queued().as_str()])
}

/// Sessions that wait for a host, oldest first.
pub fn sessions_queued(connection: &Connection) -> Result<Vec<StoredSession>> {
    let sql =
        format!("SELECT {SESSION_COLUMNS} FROM sessions WHERE ended = 0 AND host = ? ORDER BY id");
    connection
        .prepare_cached(&sql)?
        .query_map([HostName::queued().as_str()], stored::session)?
        .collect()
}

/// Sessions that have begun, and to which something was said or wished before.
pub fn sessions_told_early(connection: &Connection) -> Result<Vec<StoredSession>> {
    let sql = format!(
        "SELECT {SESSION_COLUMNS} FROM sessions WHERE ended = 0 AND last_seq > 0 \
         AND (json_extract(record, '$.placement.waiting') IS NOT NULL \
         OR json_extract(record, '$.placement.stopped') IS NOT NULL) ORDER BY id"
    );
    connection
        .prepare_cached(&sql)?
        .query_map([], stored::session)?
        .collect()
}

/// Sessions of which the host has not said anything yet. Imported ones have no host: their events are on their way.
pub fn sessions_not_begun(connection: &Connection) -> Result<Vec<StoredSession>> {
    let sql = format!(
        "SELECT {SESSION_COLUMNS} FROM sessions WHERE ended = 0 AND last_seq = 0 AND host <> ? \
         AND json_extract(record, '$.imported') IS NULL ORDER BY id"
    );
    connection
        .prepare_cached(&sql)?
        .query_map([HostName::queued().as_str()], stored::session)?
        .collect()
}

/// How often people were told again of gates that wait for long.
pub fn reminders(connection: &Connection) -> Result<u64> {
    connection
        .prepare_cached(
            "SELECT coalesce(sum(json_extract(facts, '$.reminded.count')), 0) FROM gates",
        )?
        .query_row([], |row| row.get(0))
}

/// How many gates wait, and since when the one does that has waited longest.
pub fn waiting(connection: &Connection) -> Result<(u64, Option<Timestamp>)> {
    let (count, since): (u64, Option<String>) = connection
        .prepare_cached(
            "SELECT count(*), min(json_extract(facts, '$.opened.at')) FROM gates WHERE state = 'pending'",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((count, since.and_then(|text| Timestamp::try_from(text).ok())))
}

pub fn gate(connection: &Connection, id: GateId) -> Result<Option<StoredGate>> {
    let sql =
        format!("SELECT {SESSION_COLUMNS}, gates.id, gates.facts {FROM_GATES} AND gates.id = ?");
    connection
        .prepare_cached(&sql)?
        .query_row([id.to_string()], stored::gate)
        .optional()
}

/// What of the gates a list wants.
#[derive(Debug, Clone, Default)]
pub struct GateFilter {
    pub state: Option<GateState>,
    pub session: Option<SessionId>,
    /// Only those after (pending: opened later; else: opened earlier than) this one.
    pub cursor: Option<GateId>,
    pub limit: usize,
}

/// Pending ones oldest first, as they are to be decided; all others newest first.
pub fn gates(connection: &Connection, filter: &GateFilter) -> Result<Vec<StoredGate>> {
    let (beyond, order) = match filter.state {
        Some(GateState::Pending) => ("gates.id > ?3", "ASC"),
        Some(GateState::Decided | GateState::Withdrawn) | None => ("gates.id < ?3", "DESC"),
    };
    let sql = format!(
        "SELECT {SESSION_COLUMNS}, gates.id, gates.facts {FROM_GATES} AND {} AND {} AND {} \
         ORDER BY gates.id {order} LIMIT ?4",
        when(filter.state.is_some(), "gates.state = ?1"),
        when(filter.session.is_some(), "gates.session = ?2"),
        when(filter.cursor.is_some(), beyond),
    );
    let state = filter.state.map(|state| match state {
        GateState::Pending => "pending",
        GateState::Decided => "decided",
        GateState::Withdrawn => "withdrawn",
    });
    let session = filter.session.map(|id| id.to_string());
    let cursor = filter.cursor.map(|id| id.to_string());
    connection
        .prepare_cached(&sql)?
        .query_map(params![state, session, cursor, filter.limit], stored::gate)?
        .collect()
}

/// Gates whose decision is recorded and that nothing has answered.
pub fn unsettled_gates(connection: &Connection) -> Result<Vec<StoredGate>> {
    let sql = format!(
        "SELECT {SESSION_COLUMNS}, gates.id, gates.facts {FROM_GATES} AND gates.unsettled = 1 ORDER BY gates.id"
    );
    connection
        .prepare_cached(&sql)?
        .query_map([], stored::gate)?
        .collect()
}

/// A condition, when it is asked for. `?1 IS NULL OR …` would do without, but reads the whole table each time.
const fn when(asked: bool, condition: &str) -> &str {
    if asked { condition } else { "TRUE" }
}

const FROM_GATES: &str =
    "FROM gates JOIN sessions ON sessions.id = gates.session WHERE gates.state IS NOT NULL";

/// Some events of one session, in order.
#[derive(Debug, Clone, Default)]
pub struct Events {
    pub rows: Vec<(u64, EventRow)>,
}

impl Events {
    #[must_use]
    pub fn first(&self) -> Option<u64> {
        self.rows.first().map(|(seq, _)| *seq)
    }

    #[must_use]
    pub fn last(&self) -> Option<u64> {
        self.rows.last().map(|(seq, _)| *seq)
    }

    #[must_use]
    pub fn into_rows(self) -> Vec<EventRow> {
        self.rows.into_iter().map(|(_, row)| row).collect()
    }
}

/// An answer is cut when it holds more than this, so that a page of big events stays a page. One event always fits.
const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The events after `after`, at most `limit`.
pub fn events_after(
    connection: &Connection,
    session: SessionId,
    after: u64,
    limit: usize,
) -> Result<Events> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, body FROM events WHERE session = ? AND seq > ? ORDER BY seq LIMIT ?",
    )?;
    let rows = statement.query_map(params![session.to_string(), clamp(after), limit], event_row)?;
    Ok(Events {
        rows: within_page(rows)?,
    })
}

/// The last events before `before`, at most `limit`, in order.
pub fn events_before(
    connection: &Connection,
    session: SessionId,
    before: u64,
    limit: usize,
) -> Result<Events> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, body FROM events WHERE session = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
    )?;
    let rows = statement.query_map(
        params![session.to_string(), clamp(before), limit],
        event_row,
    )?;
    let mut rows = within_page(rows)?;
    rows.reverse();
    Ok(Events { rows })
}

/// Numbers beyond what SQLite can hold mean "the end", and not an error.
fn clamp(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

fn event_row(row: &Row<'_>) -> Result<(u64, EventRow)> {
    Ok((row.get(0)?, EventRow::new(row.get::<_, Arc<str>>(1)?)))
}

fn within_page(
    rows: impl Iterator<Item = Result<(u64, EventRow)>>,
) -> Result<Vec<(u64, EventRow)>> {
    let mut taken = Vec::new();
    let mut bytes = 0;
    for row in rows {
        let (seq, row) = row?;
        bytes += row.text().len();
        if bytes > PAGE_BYTES_MAX && !taken.is_empty() {
            break;
        }
        taken.push((seq, row));
    }
    Ok(taken)
}

/// What tells the events from `first` to `last` apart, in order.
pub fn event_prints(
    connection: &Connection,
    session: SessionId,
    first: u64,
    last: u64,
) -> Result<Vec<RowPrint>> {
    connection
        .prepare_cached(
            "SELECT seq, body FROM events WHERE session = ? AND seq BETWEEN ? AND ? ORDER BY seq",
        )?
        .query_map(
            params![session.to_string(), clamp(first), clamp(last)],
            |row| Ok(RowPrint::of(row.get(0)?, row.get_ref(1)?.as_bytes()?)),
        )?
        .collect()
}

/// Every file change of a session, in order.
pub fn file_changes(
    connection: &Connection,
    session: SessionId,
) -> Result<Vec<(u64, Timestamp, FileChanged)>> {
    let mut statement = connection.prepare_cached(
        "SELECT body FROM events WHERE session = ? AND type = 'file.changed' ORDER BY seq",
    )?;
    let mut changes = Vec::new();
    for body in statement.query_map([session.to_string()], |row| row.get::<_, String>(0))? {
        // One that could not be read when it came was logged then.
        if let Ok(envelope) = serde_json::from_str::<Envelope>(&body?)
            && let Some(Event::FileChanged(change)) = envelope.event()
        {
            changes.push((envelope.seq, envelope.at, change.clone()));
        }
    }
    Ok(changes)
}

/// Whether the session has this message in its keeping.
pub fn has_receipt(connection: &Connection, command: CommandId) -> Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM receipts WHERE command = ?")?
        .exists([command.to_string()])
}

/// Newest first, as stored: each one an `AuditRow` in JSON.
pub fn audit(
    connection: &Connection,
    session: Option<SessionId>,
    before: u64,
    limit: usize,
) -> Result<Vec<(u64, Box<RawValue>)>> {
    let session = session.map(|id| id.to_string());
    let sql = format!(
        "SELECT sequence, body FROM audit WHERE sequence < ?1 AND {} ORDER BY sequence DESC LIMIT ?3",
        when(session.is_some(), "session = ?2"),
    );
    connection
        .prepare_cached(&sql)?
        .query_map(params![clamp(before), session, limit], |row| {
            let body = RawValue::from_string(row.get(1)?).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(
                    1,
                    rusqlite::types::Type::Text,
                    Box::new(error),
                )
            })?;
            Ok((row.get(0)?, body))
        })?
        .collect()
}

pub fn hosts(connection: &Connection) -> Result<Vec<HostRecord>> {
    connection
        .prepare_cached("SELECT record FROM hosts ORDER BY host")?
        .query_map([], |row| stored::json(row, 0))?
        .collect()
}
