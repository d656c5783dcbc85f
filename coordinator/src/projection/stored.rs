//! Rows as they are stored, before anybody's clock or name is added to them.

use nats::ids::{GateId, SessionId};
use nats::record::SessionRecord;
use rusqlite::Row;
use serde::de::DeserializeOwned;

use super::facts::Facts;
use super::gate::GateFacts;
use crate::api::SentMessage;

/// A session's record and what its events add up to.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSession {
    pub record: SessionRecord,
    pub(crate) facts: Facts,
    pub pending_gates: u32,
    pub oldest_gate: Option<GateId>,
    pub waiting_since: Option<nats::Timestamp>,
    pub undelivered: Vec<SentMessage>,
}

impl StoredSession {
    /// One of which nothing but the record is known yet.
    #[must_use]
    pub fn new(record: SessionRecord) -> Self {
        Self {
            record,
            facts: Facts::default(),
            pending_gates: 0,
            oldest_gate: None,
            waiting_since: None,
            undelivered: Vec::new(),
        }
    }

    #[must_use]
    pub fn id(&self) -> SessionId {
        self.record.session
    }

    #[must_use]
    pub fn ended(&self) -> bool {
        self.facts.ended() || self.record.never_began()
    }

    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.facts.last_seq
    }
}

/// A gate with the session it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredGate {
    pub id: GateId,
    pub session: StoredSession,
    pub facts: GateFacts,
}

/// The columns that [`session`] reads, from a table or join where `sessions` goes by its own name.
pub(super) const SESSION_COLUMNS: &str = "sessions.record, sessions.facts, \
     (SELECT count(*) FROM gates WHERE gates.session = sessions.id AND gates.state = 'pending'), \
     (SELECT min(id) FROM gates WHERE gates.session = sessions.id AND gates.state = 'pending'), \
     (SELECT min(json_extract(facts, '$.opened.at')) FROM gates \
      WHERE gates.session = sessions.id AND gates.state = 'pending'), \
     (SELECT json_group_array(json(sent.body) ORDER BY sent.sequence) FROM sent WHERE sent.session = sessions.id)";

pub(super) fn session(row: &Row<'_>) -> rusqlite::Result<StoredSession> {
    Ok(StoredSession {
        record: json(row, 0)?,
        facts: json(row, 1)?,
        pending_gates: row.get(2)?,
        oldest_gate: parsed(row, 3)?,
        waiting_since: row
            .get::<_, Option<String>>(4)?
            .and_then(|text| nats::Timestamp::try_from(text).ok()),
        undelivered: json(row, 5)?,
    })
}

/// A gate after the columns of its session.
pub(super) fn gate(row: &Row<'_>) -> rusqlite::Result<StoredGate> {
    let id: Option<GateId> = parsed(row, 6)?;
    Ok(StoredGate {
        id: id.ok_or(rusqlite::Error::InvalidColumnType(
            6,
            "id".to_owned(),
            rusqlite::types::Type::Null,
        ))?,
        session: session(row)?,
        facts: json(row, 7)?,
    })
}

/// A column that holds JSON of ours.
pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}

fn parsed<T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| {
        text.parse().map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(
                column,
                rusqlite::types::Type::Text,
                Box::new(error),
            )
        })
    })
    .transpose()
}
