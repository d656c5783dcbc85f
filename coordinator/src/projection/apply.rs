//! One batch of inputs on its way into rows.
//!
//! Owns the rules of what is let in: an event counts when its subject and body agree, when its host and epoch are
//! the session's, and when it is the next one. What is not let in is counted, never stored. Events, decisions
//! and records may come in any order; the rows are the same in the end.

mod arrival;
mod audit;
mod event;
mod rows;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use nats::event::Event;
use nats::ids::{GateId, SessionId};
use nats::record::{HostRecord, SessionRecord};
use rusqlite::Transaction;

use self::arrival::Read;
use self::rows::Rows;
use super::Error;
use super::gate::GateFacts;
use super::writer::{Position, Positions};
use crate::api::EventRow;

pub use self::arrival::Arrival;
pub use self::event::one_line;

/// Something that NATS told.
#[derive(Debug, Clone)]
pub enum Input {
    Event {
        sequence: u64,
        arrival: Box<Arrival>,
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

/// All that goes into one transaction.
pub(super) struct Batch<'transaction> {
    rows: Rows<'transaction>,
    last_event: Option<(u64, Bytes)>,
    last_audit: Option<(u64, Bytes)>,
    applied: Applied,
}

impl<'transaction> Batch<'transaction> {
    pub(super) fn new(transaction: &'transaction Transaction<'transaction>) -> Self {
        Self {
            rows: Rows::new(transaction),
            last_event: None,
            last_audit: None,
            applied: Applied::default(),
        }
    }

    pub(super) fn take(&mut self, input: Input) -> Result<(), Error> {
        match input {
            Input::Event { sequence, arrival } => {
                let Arrival {
                    subject,
                    body,
                    read,
                } = *arrival;
                let dropped = self.event(sequence, &subject, &body, read)?;
                self.note(dropped, &subject);
                self.last_event = Some((sequence, body));
                Ok(())
            }
            Input::Audit {
                sequence,
                subject,
                body,
            } => {
                self.last_audit = Some((sequence, body.clone()));
                let dropped = self.audit(sequence, &subject, &body)?;
                self.note(dropped, &subject);
                Ok(())
            }
            Input::Session { revision, record } => self.session_record(revision, *record),
            Input::Host { record } => self.rows.write_host(&record),
        }
    }

    /// Writes what has changed and says what that was.
    pub(super) fn finish(self) -> Result<(Applied, Positions), Error> {
        self.rows.write()?;
        let position = |last: Option<(u64, Bytes)>| {
            last.map_or_else(Position::default, |(sequence, body)| {
                Position::of(sequence, &body)
            })
        };
        let positions = Positions {
            events: position(self.last_event),
            audit: position(self.last_audit),
        };
        Ok((self.applied, positions))
    }

    /// A record makes its session known, and with it the events that came before it.
    fn session_record(&mut self, revision: u64, record: SessionRecord) -> Result<(), Error> {
        let id = record.session;
        if !self.rows.put_session(revision, record)? {
            return Ok(());
        }
        self.applied.sessions.insert(id);
        for (sequence, subject, body) in self.rows.take_unclaimed(id)? {
            let read = Read::of(&subject, &body);
            let dropped = self.event(sequence, &subject, &body, read)?;
            self.note(dropped, &subject);
        }
        Ok(())
    }

    /// Changes what is known of a gate. An event of one session says nothing of another session's gate: a host
    /// that claims it does is not believed.
    fn change_gate(
        &mut self,
        gate: GateId,
        session: SessionId,
        change: impl FnOnce(&mut GateFacts),
    ) -> Result<(), Error> {
        let Some(facts) = self.rows.gate(gate, session)? else {
            tracing::error!(gate.id = %gate, session.id = %session, "a session speaks of another session's gate; ignored");
            self.applied.dropped.push(Dropped::Foreign);
            return Ok(());
        };
        change(facts);
        self.applied.gates.insert(gate);
        self.applied.sessions.insert(session);
        Ok(())
    }

    /// Counts what was not let in.
    fn note(&mut self, dropped: Option<Dropped>, subject: &str) {
        if let Some(why) = dropped {
            tracing::warn!(nats.subject = subject, why = ?why, "a message was not let into the projection");
            self.applied.dropped.push(why);
        }
    }
}
