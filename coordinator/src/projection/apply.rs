//! One batch of inputs on its way into rows.
//!
//! Owns the rules of what is let in: an event counts when its subject and body agree, when its host and epoch are
//! the session's, and when it is the next one. What is not let in is counted, never stored. Events, decisions
//! and records may come in any order; the rows are the same in the end.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use nats::audit::{ActionRecord, DecisionRecord};
use nats::event::Event;
use nats::ids::{EventId, GateId, HostName, SessionId};
use nats::record::{HostRecord, SessionRecord};
use nats::subject::{self, Kind};
use nats::{Envelope, Timestamp};
use rusqlite::{OptionalExtension, Transaction, params};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::facts::Facts;
use super::gate::GateFacts;
use super::writer::Positions;
use super::{Error, stored};
use crate::api::{AuditRow, EventRow, GateState};

/// Something that NATS told.
#[derive(Debug, Clone)]
pub enum Input {
    Event {
        sequence: u64,
        subject: String,
        body: Bytes,
    },
    Audit {
        sequence: u64,
        subject: String,
        body: Bytes,
    },
    Session {
        revision: u64,
        record: Box<SessionRecord>,
    },
    Host {
        record: Box<HostRecord>,
    },
}

/// What a batch changed, for those who watch.
#[derive(Debug, Default)]
pub struct Applied {
    /// New events of each session, in order.
    pub events: BTreeMap<SessionId, Vec<NewEvent>>,
    pub sessions: BTreeSet<SessionId>,
    pub gates: BTreeSet<GateId>,
    pub dropped: Vec<Dropped>,
}

#[derive(Debug, Clone)]
pub struct NewEvent {
    pub seq: u64,
    pub row: EventRow,
    /// None for what this build does not know.
    pub event: Option<Event>,
}

/// Why an event was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dropped {
    /// Not an envelope, or one on another subject than it says.
    Malformed,
    /// Of a host or epoch that does not own the session.
    Foreign,
    /// Its number has been seen.
    Double,
    /// A number is missing before it.
    Gap,
}

pub(super) struct Batch<'transaction> {
    transaction: &'transaction Transaction<'transaction>,
    sessions: HashMap<SessionId, Option<SessionEntry>>,
    gates: HashMap<GateId, GateEntry>,
    positions: Positions,
    applied: Applied,
}

struct SessionEntry {
    revision: u64,
    record: SessionRecord,
    facts: Facts,
    changed: bool,
}

struct GateEntry {
    session: SessionId,
    facts: GateFacts,
    changed: bool,
}

/// What every envelope has, whatever is inside.
#[derive(Deserialize)]
struct Header {
    #[serde(rename = "id")]
    _id: EventId,
    session: SessionId,
    host: HostName,
    epoch: u64,
    seq: u64,
    at: Timestamp,
    #[serde(rename = "type")]
    event_type: String,
}

impl<'transaction> Batch<'transaction> {
    pub(super) fn new(transaction: &'transaction Transaction<'transaction>) -> Self {
        Self {
            transaction,
            sessions: HashMap::new(),
            gates: HashMap::new(),
            positions: Positions::default(),
            applied: Applied::default(),
        }
    }

    pub(super) fn take(&mut self, input: Input) -> Result<(), Error> {
        match input {
            Input::Event {
                sequence,
                subject,
                body,
            } => {
                self.positions.events = self.positions.events.max(sequence);
                self.event(sequence, &subject, &body)
            }
            Input::Audit {
                sequence,
                subject,
                body,
            } => {
                self.positions.audit = self.positions.audit.max(sequence);
                self.audit(sequence, &subject, &body)
            }
            Input::Session { revision, record } => self.session_record(revision, *record),
            Input::Host { record } => self.host(&record),
        }
    }

    /// Writes what has changed and says what that was.
    pub(super) fn finish(self) -> Result<(Applied, Positions), Error> {
        for (id, entry) in &self.sessions {
            if let Some(entry) = entry.as_ref().filter(|entry| entry.changed) {
                self.write_session(*id, entry)?;
            }
        }
        for (id, entry) in self.gates.iter().filter(|(_, entry)| entry.changed) {
            self.write_gate(*id, entry)?;
        }
        Ok((self.applied, self.positions))
    }

    fn event(&mut self, sequence: u64, subject: &str, body: &Bytes) -> Result<(), Error> {
        let Some(header) = read_header(subject, body) else {
            return self.drop_message(Dropped::Malformed, subject);
        };
        let session = header.session;
        let Some(entry) = self.session(session)? else {
            return self.keep_unclaimed(sequence, session, subject, body);
        };
        // A session that has changed hosts will need its former owners here; none changes hosts yet.
        if header.host != entry.record.host || header.epoch != entry.record.epoch {
            return self.drop_message(Dropped::Foreign, subject);
        }
        if header.seq <= entry.facts.last_seq {
            return self.drop_message(Dropped::Double, subject);
        }
        if header.seq != entry.facts.last_seq + 1 {
            return self.drop_message(Dropped::Gap, subject);
        }
        // Readable as a header, so as JSON: raw text cannot fail, but a failure must not stop the stream either.
        let Some(raw) = one_line(body) else {
            return self.drop_message(Dropped::Malformed, subject);
        };
        // A known type with a body of another shape is kept and shown by its name; only its meaning is lost.
        let envelope = serde_json::from_slice::<Envelope>(body)
            .inspect_err(|error| tracing::warn!(%error, nats.subject = subject, "an event is not of the shape its type says"))
            .ok();
        entry.facts.count(header.seq, header.at);
        if let Some(envelope) = &envelope {
            entry.facts.fold(envelope);
        }
        entry.changed = true;
        self.insert_event(sequence, &header, raw.get())?;
        let event = envelope.as_ref().and_then(Envelope::event).cloned();
        if let Some(event) = &event {
            self.consequences(&header, event)?;
        }
        let row = EventRow::new(raw);
        let new = NewEvent {
            seq: header.seq,
            row,
            event,
        };
        self.applied.events.entry(session).or_default().push(new);
        self.applied.sessions.insert(session);
        Ok(())
    }

    /// What an event means for gates and receipts.
    fn consequences(&mut self, header: &Header, event: &Event) -> Result<(), Error> {
        let (session, seq, at) = (header.session, header.seq, header.at);
        match event {
            Event::GateOpened(opened) => {
                let gate = opened.clone();
                self.change_gate(opened.gate, session, |facts| facts.open(gate, seq, at))
            }
            Event::GateDecided(decided) => {
                let decision = decided.decision.clone();
                self.change_gate(decided.gate, session, |facts| facts.deliver(decision, at))
            }
            Event::GateWithdrawn(withdrawn) => {
                let reason = withdrawn.reason.clone();
                self.change_gate(withdrawn.gate, session, |facts| {
                    facts.withdraw(reason, seq);
                })
            }
            Event::ToolReleased(released) => {
                self.change_gate(released.gate, session, |facts| facts.release(at))
            }
            Event::ToolFinished(finished) => {
                for gate in self.gates_of(session, Some(&finished.tool_use))? {
                    self.change_gate(gate, session, |facts| facts.finish(finished.outcome, at))?;
                }
                Ok(())
            }
            Event::SessionEnded(ended) => {
                let reason = format!("the session ended: {}", ended.reason);
                for gate in self.gates_of(session, None)? {
                    self.change_gate(gate, session, |facts| facts.withdraw(reason.clone(), seq))?;
                }
                Ok(())
            }
            Event::MessageUser(message) => self.execute(
                "INSERT OR IGNORE INTO receipts VALUES (?, ?, ?)",
                params![message.command.to_string(), session.to_string(), seq],
            ),
            Event::SessionOpened(_)
            | Event::SessionState(_)
            | Event::AgentReady(_)
            | Event::AgentExited(_)
            | Event::AgentRetrying(_)
            | Event::TurnStarted(_)
            | Event::TurnFinished(_)
            | Event::MessageDelivered(_)
            | Event::MessageAssistant(_)
            | Event::ToolRequested(_)
            | Event::FileChanged(_)
            | Event::Warning(_) => Ok(()),
        }
    }

    fn audit(&mut self, sequence: u64, subject: &str, body: &Bytes) -> Result<(), Error> {
        let row = if let Some(gate) = subject::decided_gate(subject) {
            let Some(record) =
                read::<DecisionRecord>(subject, body).filter(|record| record.gate == gate)
            else {
                return self.drop_message(Dropped::Malformed, subject);
            };
            let row = decision_row(sequence, &record);
            let (gate, session) = (record.gate, record.session);
            self.change_gate(gate, session, |facts| facts.record(record))?;
            row
        } else {
            let Some(record) = read::<ActionRecord>(subject, body)
                .filter(|record| subject::audit(&record.action, record.id) == subject)
            else {
                return self.drop_message(Dropped::Malformed, subject);
            };
            action_row(sequence, record)
        };
        self.execute(
            "INSERT OR IGNORE INTO audit VALUES (?, ?, ?, ?)",
            params![
                sequence,
                row.action,
                row.session.map(|session| session.to_string()),
                to_json(&row)?
            ],
        )
    }

    fn session_record(&mut self, revision: u64, record: SessionRecord) -> Result<(), Error> {
        let id = record.session;
        match self.session(id)? {
            Some(entry) if entry.revision >= revision => return Ok(()),
            Some(entry) => {
                entry.revision = revision;
                entry.record = record;
                entry.changed = true;
            }
            None => {
                let entry = SessionEntry {
                    revision,
                    record,
                    facts: Facts::default(),
                    changed: true,
                };
                self.sessions.insert(id, Some(entry));
            }
        }
        self.applied.sessions.insert(id);
        for (sequence, subject, body) in self.take_unclaimed(id)? {
            self.event(sequence, &subject, &body)?;
        }
        Ok(())
    }

    fn host(&self, record: &HostRecord) -> Result<(), Error> {
        self.execute(
            "INSERT INTO hosts VALUES (?1, ?2) ON CONFLICT DO UPDATE SET record = ?2",
            params![record.host.as_str(), to_json(record)?],
        )
    }

    fn drop_message(&mut self, why: Dropped, subject: &str) -> Result<(), Error> {
        tracing::warn!(nats.subject = subject, why = ?why, "a message was not let into the projection");
        self.applied.dropped.push(why);
        Ok(())
    }

    fn session(&mut self, id: SessionId) -> Result<Option<&mut SessionEntry>, Error> {
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

    fn change_gate(
        &mut self,
        id: GateId,
        session: SessionId,
        change: impl FnOnce(&mut GateFacts),
    ) -> Result<(), Error> {
        if !self.gates.contains_key(&id) {
            let found = self
                .transaction
                .prepare_cached("SELECT facts FROM gates WHERE id = ?")
                .and_then(|mut statement| {
                    statement
                        .query_row([id.to_string()], |row| stored::json(row, 0))
                        .optional()
                })
                .map_err(Error::Read)?;
            let entry = GateEntry {
                session,
                facts: found.unwrap_or_default(),
                changed: false,
            };
            self.gates.insert(id, entry);
        }
        if let Some(entry) = self.gates.get_mut(&id) {
            change(&mut entry.facts);
            entry.changed = true;
        }
        self.applied.gates.insert(id);
        self.applied.sessions.insert(session);
        Ok(())
    }

    /// Gates of a session, of one call or of all, those of this very batch included.
    fn gates_of(
        &self,
        session: SessionId,
        tool_use: Option<&str>,
    ) -> Result<BTreeSet<GateId>, Error> {
        let mut found: BTreeSet<GateId> = self
            .transaction
            .prepare_cached(
                "SELECT id FROM gates WHERE session = ?1 AND (?2 IS NULL OR tool_use = ?2)",
            )
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

    fn insert_event(&self, sequence: u64, header: &Header, body: &str) -> Result<(), Error> {
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

    fn keep_unclaimed(
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

    fn take_unclaimed(&self, session: SessionId) -> Result<Vec<(u64, String, Bytes)>, Error> {
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
                entry.facts.ended(),
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

/// The envelope's header, if it is one and stands on the subject it says. A host's credential limits the subject,
/// so what a host claims in a body of another's name ends here.
fn read_header(subject: &str, body: &[u8]) -> Option<Header> {
    let parsed = subject::parse(subject).ok()?;
    let header: Header = serde_json::from_slice(body).ok()?;
    let agrees = parsed.kind == Kind::Event
        && parsed.host == header.host
        && parsed.session == Some(header.session)
        && parsed.message_type == header.event_type;
    agrees.then_some(header)
}

/// The envelope's text on one line, as every stream that carries lines needs it. Control characters in JSON are
/// white space between its parts; those in texts are written as escapes.
fn one_line(body: &[u8]) -> Option<Box<RawValue>> {
    if body.iter().any(|byte| byte.is_ascii_control()) {
        let value: serde_json::Value = serde_json::from_slice(body).ok()?;
        return serde_json::value::to_raw_value(&value).ok();
    }
    serde_json::from_slice(body).ok()
}

fn read<T: DeserializeOwned>(subject: &str, body: &[u8]) -> Option<T> {
    serde_json::from_slice(body)
        .inspect_err(
            |error| tracing::warn!(%error, nats.subject = subject, "a record cannot be read"),
        )
        .ok()
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(Error::Row)
}

fn decision_row(sequence: u64, record: &DecisionRecord) -> AuditRow {
    AuditRow {
        seq: sequence,
        action: "decision".to_owned(),
        by: Some(record.decision.by),
        by_name: Some(record.decision.by_name.clone()),
        session: Some(record.session),
        gate: Some(record.gate),
        subject: record.summary.clone(),
        decision: Some(record.decision.clone()),
        at: record.decision.at,
        from: record.from.clone(),
    }
}

fn action_row(sequence: u64, record: ActionRecord) -> AuditRow {
    AuditRow {
        seq: sequence,
        action: record.action,
        by: record.by,
        by_name: record.by_name,
        session: record.session,
        gate: None,
        subject: record.subject,
        decision: None,
        at: record.at,
        from: record.from,
    }
}
