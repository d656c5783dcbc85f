//! The rows that a batch works on: read when they are first needed, written once at its end.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use nats::Header;
use nats::ids::{CommandId, GateId, SessionId};
use nats::record::{HostRecord, SessionRecord};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::api::{AuditRow, GateState, SentMessage};
use crate::projection::facts::Facts;
use crate::projection::gate::GateFacts;
use crate::projection::{Error, stored};

pub(super) struct Rows<'transaction> {
    transaction: &'transaction Transaction<'transaction>,
    sessions: HashMap<SessionId, Option<SessionEntry>>,
    gates: HashMap<GateId, GateEntry>,
}

pub(super) struct SessionEntry {
    revision: u64,
    pub record: SessionRecord,
    pub facts: Facts,
    pub changed: bool,
}

struct GateEntry {
    session: SessionId,
    facts: GateFacts,
    changed: bool,
}

impl<'transaction> Rows<'transaction> {
    pub(super) fn new(transaction: &'transaction Transaction<'transaction>) -> Self {
        Self {
            transaction,
            sessions: HashMap::new(),
            gates: HashMap::new(),
        }
    }

    /// Writes what has changed.
    pub(super) fn write(&self) -> Result<(), Error> {
        for (id, entry) in &self.sessions {
            if let Some(entry) = entry.as_ref().filter(|entry| entry.changed) {
                self.write_session(*id, entry)?;
            }
        }
        for (id, entry) in self.gates.iter().filter(|(_, entry)| entry.changed) {
            self.write_gate(*id, entry)?;
        }
        Ok(())
    }

    /// Takes a session's record, unless a newer one is known.
    pub(super) fn put_session(
        &mut self,
        revision: u64,
        record: SessionRecord,
    ) -> Result<bool, Error> {
        let id = record.session;
        if let Some(entry) = self.session(id)? {
            if entry.revision >= revision {
                return Ok(false);
            }
            entry.revision = revision;
            entry.record = record;
            entry.changed = true;
            return Ok(true);
        }
        let entry = SessionEntry {
            revision,
            record,
            facts: Facts::default(),
            changed: true,
        };
        self.sessions.insert(id, Some(entry));
        Ok(true)
    }

    pub(super) fn session(&mut self, id: SessionId) -> Result<Option<&mut SessionEntry>, Error> {
        if !self.sessions.contains_key(&id) {
            let found = self
                .transaction
                .prepare_cached("SELECT revision, record, facts FROM sessions WHERE id = ?")
                .and_then(|mut statement| {
                    statement
                        .query_row([id.to_string()], |row| {
                            Ok(SessionEntry {
                                revision: row.get(0)?,
                                record: stored::json(row, 1)?,
                                facts: stored::json(row, 2)?,
                                changed: false,
                            })
                        })
                        .optional()
                })
                .map_err(Error::Read)?;
            self.sessions.insert(id, found);
        }
        Ok(self.sessions.get_mut(&id).and_then(Option::as_mut))
    }

    /// A gate of this session, a new one if it is not known; none if it is another session's.
    pub(super) fn gate(
        &mut self,
        id: GateId,
        session: SessionId,
    ) -> Result<Option<&mut GateFacts>, Error> {
        let entry = match self.gates.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let found = self
                    .transaction
                    .prepare_cached("SELECT session, facts FROM gates WHERE id = ?")
                    .and_then(|mut statement| {
                        statement
                            .query_row([id.to_string()], |row| {
                                Ok((row.get::<_, String>(0)?, stored::json(row, 1)?))
                            })
                            .optional()
                    })
                    .map_err(Error::Read)?;
                let (owner, facts) =
                    found.unwrap_or_else(|| (session.to_string(), GateFacts::default()));
                if owner != session.to_string() {
                    return Ok(None);
                }
                unknown.insert(GateEntry {
                    session,
                    facts,
                    changed: false,
                })
            }
        };
        if entry.session != session {
            return Ok(None);
        }
        entry.changed = true;
        Ok(Some(&mut entry.facts))
    }

    /// Gates of a session, of one call or of all, those of this very batch included.
    pub(super) fn gates_of(
        &self,
        session: SessionId,
        tool_use: Option<&str>,
    ) -> Result<BTreeSet<GateId>, Error> {
        let mut found: BTreeSet<GateId> = self
            .transaction
            .prepare_cached(match tool_use {
                Some(_) => "SELECT id FROM gates WHERE session = ?1 AND tool_use = ?2",
                None => "SELECT id FROM gates WHERE session = ?1 AND ?2 IS NULL",
            })
            .and_then(|mut statement| {
                statement
                    .query_map(params![session.to_string(), tool_use], |row| {
                        row.get::<_, String>(0)
                    })?
                    .collect::<rusqlite::Result<Vec<String>>>()
            })
            .map_err(Error::Read)?
            .iter()
            .filter_map(|id| id.parse().ok())
            .collect();
        found.extend(self.gates.iter().filter_map(|(id, entry)| {
            let of_call = tool_use.is_none_or(|tool_use| {
                entry
                    .facts
                    .opened
                    .as_ref()
                    .is_some_and(|opened| opened.gate.tool_use == tool_use)
            });
            (entry.session == session && of_call).then_some(*id)
        }));
        Ok(found)
    }

    pub(super) fn insert_event(
        &self,
        sequence: u64,
        header: &Header,
        body: &str,
    ) -> Result<(), Error> {
        self.execute(
            "INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?)",
            params![
                sequence,
                header.session.to_string(),
                header.seq,
                header.event_type,
                body
            ],
        )
    }

    pub(super) fn keep_unclaimed(
        &self,
        sequence: u64,
        session: SessionId,
        subject: &str,
        body: &Bytes,
    ) -> Result<(), Error> {
        self.execute(
            "INSERT OR IGNORE INTO unclaimed VALUES (?, ?, ?, ?)",
            params![sequence, session.to_string(), subject, body.as_ref()],
        )
    }

    pub(super) fn take_unclaimed(
        &self,
        session: SessionId,
    ) -> Result<Vec<(u64, String, Bytes)>, Error> {
        let id = session.to_string();
        let found = self
            .transaction
            .prepare_cached(
                "SELECT sequence, subject, body FROM unclaimed WHERE session = ? ORDER BY sequence",
            )
            .and_then(|mut statement| {
                statement
                    .query_map([&id], |row| {
                        Ok((
                            row.get(0)?,
                            row.get(1)?,
                            Bytes::from(row.get::<_, Vec<u8>>(2)?),
                        ))
                    })?
                    .collect::<rusqlite::Result<Vec<_>>>()
            })
            .map_err(Error::Read)?;
        if !found.is_empty() {
            self.execute("DELETE FROM unclaimed WHERE session = ?", [&id])?;
        }
        Ok(found)
    }

    pub(super) fn insert_receipt(
        &self,
        command: CommandId,
        session: SessionId,
        seq: u64,
    ) -> Result<(), Error> {
        self.execute("DELETE FROM sent WHERE command = ?", [command.to_string()])?;
        self.execute(
            "INSERT OR IGNORE INTO receipts VALUES (?, ?, ?)",
            params![command.to_string(), session.to_string(), seq],
        )
    }

    /// A message that was sent, unless its session has it already.
    pub(super) fn insert_sent(
        &self,
        sequence: u64,
        session: SessionId,
        message: &SentMessage,
    ) -> Result<(), Error> {
        self.execute(
            "INSERT OR IGNORE INTO sent SELECT ?1, ?2, ?3, ?4 \
             WHERE NOT EXISTS (SELECT 1 FROM receipts WHERE command = ?1)",
            params![
                message.id.to_string(),
                session.to_string(),
                sequence,
                to_json(message)?
            ],
        )
    }

    pub(super) fn insert_audit(&self, row: &AuditRow) -> Result<(), Error> {
        let session = row.session.map(|session| session.to_string());
        self.execute(
            "INSERT OR IGNORE INTO audit VALUES (?, ?, ?, ?)",
            params![row.seq, row.action, session, to_json(row)?],
        )
    }

    pub(super) fn write_host(&self, record: &HostRecord) -> Result<(), Error> {
        self.execute(
            "INSERT INTO hosts VALUES (?1, ?2) ON CONFLICT DO UPDATE SET record = ?2",
            params![record.host.as_str(), to_json(record)?],
        )
    }

    fn write_session(&self, id: SessionId, entry: &SessionEntry) -> Result<(), Error> {
        self.execute(
            "INSERT INTO sessions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET \
             revision = ?2, record = ?3, facts = ?4, host = ?5, project = ?6, ended = ?7, last_seq = ?8",
            params![
                id.to_string(),
                entry.revision,
                to_json(&entry.record)?,
                to_json(&entry.facts)?,
                entry.record.host.as_str(),
                entry.record.project,
                entry.facts.ended() || entry.record.never_began(),
                entry.facts.last_seq,
            ],
        )
    }

    fn write_gate(&self, id: GateId, entry: &GateEntry) -> Result<(), Error> {
        let facts = &entry.facts;
        let state = facts.state().map(|state| match state {
            GateState::Pending => "pending",
            GateState::Decided => "decided",
            GateState::Withdrawn => "withdrawn",
        });
        let tool_use = facts.opened.as_ref().map(|opened| &opened.gate.tool_use);
        self.execute(
            "INSERT INTO gates VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET \
             tool_use = ?3, state = ?4, unsettled = ?5, facts = ?6",
            params![
                id.to_string(),
                entry.session.to_string(),
                tool_use,
                state,
                facts.unsettled(),
                to_json(facts)?
            ],
        )
    }

    fn execute(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<(), Error> {
        self.transaction
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(parameters))
            .map(|_| ())
            .map_err(Error::Write)
    }
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(Error::Row)
}
