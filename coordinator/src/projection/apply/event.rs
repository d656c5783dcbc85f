//! One event: whether it is let in, and what it means for its session, its gates and its receipts.

use std::borrow::Cow;
use std::cmp::Ordering;

use bytes::Bytes;
use nats::Header;
use nats::event::{Event, ObjectReference};

use super::arrival::Read;
use super::rows::SessionEntry;
use super::{Batch, Dropped, Error, NewEvent};
use crate::api::EventRow;

impl Batch<'_> {
    /// Lets an event in, or says why not.
    pub(super) fn event(
        &mut self,
        sequence: u64,
        subject: &str,
        body: &Bytes,
        read: Read,
    ) -> Result<Option<Dropped>, Error> {
        let Read { header, envelope } = read;
        let Some(header) = header else {
            return Ok(Some(Dropped::Malformed));
        };
        let Some(entry) = self.rows.session(header.session)? else {
            self.rows
                .keep_unclaimed(sequence, header.session, subject, body)?;
            return Ok(None);
        };
        if is_ahead(&header, entry) {
            self.rows
                .keep_unclaimed(sequence, header.session, subject, body)?;
            return Ok(None);
        }
        if let Some(why) = refusal(sequence, &header, entry) {
            return Ok(Some(why));
        }
        // Control characters aside, what is readable as a header is readable as text.
        let Some(text) = one_line(body) else {
            return Ok(Some(Dropped::Malformed));
        };
        let envelope = envelope
            .inspect_err(|error| {
                tracing::warn!(
                    error,
                    nats.subject = subject,
                    "an event is not of the shape its type says"
                )
            })
            .ok();
        entry.facts.count(header.seq, header.at);
        if let Some(envelope) = &envelope {
            entry.facts.fold(envelope);
        }
        entry.changed = true;
        self.rows.insert_event(sequence, &header, &text)?;
        let (event, object) = envelope.map_or((None, None), |it| (it.body.into_known(), it.object));
        if let Some(event) = &event {
            self.consequences(&header, event, object)?;
        }
        let new = NewEvent {
            seq: header.seq,
            row: EventRow::new(text.as_ref()),
            event,
        };
        self.applied
            .events
            .entry(header.session)
            .or_default()
            .push(new);
        self.applied.sessions.insert(header.session);
        Ok(None)
    }

    /// What an event means for gates and receipts.
    fn consequences(
        &mut self,
        header: &Header,
        event: &Event,
        object: Option<ObjectReference>,
    ) -> Result<(), Error> {
        let (session, seq, at) = (header.session, header.seq, header.at);
        match event {
            Event::GateOpened(opened) => {
                let gate = opened.clone();
                self.change_gate(opened.gate, session, |facts| {
                    facts.open(gate, object, seq, at);
                })
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
            Event::GateReminded(reminder) => {
                let count = reminder.count;
                self.change_gate(reminder.gate, session, |facts| facts.remind(count, at))
            }
            Event::ToolReleased(released) => {
                self.change_gate(released.gate, session, |facts| facts.release(at))
            }
            Event::ToolFinished(finished) => {
                for gate in self.rows.gates_of(session, Some(&finished.tool_use))? {
                    self.change_gate(gate, session, |facts| facts.finish(finished.outcome, at))?;
                }
                Ok(())
            }
            Event::SessionEnded(ended) => {
                let reason = format!("the session ended: {}", ended.reason);
                for gate in self.rows.gates_of(session, None)? {
                    self.change_gate(gate, session, |facts| facts.withdraw(reason.clone(), seq))?;
                }
                Ok(())
            }
            Event::MessageUser(message) => self.rows.insert_receipt(message.command, session, seq),
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
            | Event::LimitReached(_)
            | Event::LimitChanged(_)
            | Event::Warning(_) => Ok(()),
        }
    }
}

/// Whether the event is of the host that the session was given to a moment ago, and its record has not come here yet:
/// streams and buckets arrive in any order.
fn is_ahead(header: &Header, entry: &SessionEntry) -> bool {
    let record = &entry.record;
    let waits = record.is_queued() && header.epoch == record.epoch;
    entry.facts.last_seq == 0 && (waits || header.epoch == record.epoch + 1)
}

/// Why this is not the session's next event. A session that has changed hosts will need its former owners here;
/// none changes hosts yet.
fn refusal(sequence: u64, header: &Header, entry: &SessionEntry) -> Option<Dropped> {
    let (record, next) = (&entry.record, entry.facts.last_seq + 1);
    // Before `first_seq` lies what somebody left who never finished.
    if header.host != record.host || header.epoch != record.epoch || sequence < record.first_seq {
        return Some(Dropped::Foreign);
    }
    match header.seq.cmp(&next) {
        Ordering::Less => Some(Dropped::Double),
        Ordering::Equal => None,
        Ordering::Greater => Some(Dropped::Gap),
    }
}

/// The text of an envelope that was read, on one line, as every stream that carries lines needs it. Control characters in JSON are
/// white space between its parts; those in texts are written as escapes.
pub fn one_line(body: &[u8]) -> Option<Cow<'_, str>> {
    if body.iter().any(|byte| byte.is_ascii_control()) {
        let value: serde_json::Value = serde_json::from_slice(body).ok()?;
        return Some(Cow::Owned(value.to_string()));
    }
    std::str::from_utf8(body).map(Cow::Borrowed).ok()
}
