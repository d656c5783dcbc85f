//! One audit record: a decision is also a fact of its gate.

use bytes::Bytes;
use nats::audit::{ActionRecord, DecisionRecord};
use nats::command::MESSAGE_SEND;
use nats::subject;
use serde::de::DeserializeOwned;

use super::{Batch, Dropped, Error};
use crate::api::{AuditRow, SentMessage};

impl Batch<'_> {
    /// Takes a record up, or says why not.
    pub(super) fn audit(
        &mut self,
        sequence: u64,
        subject: &str,
        body: &Bytes,
    ) -> Result<Option<Dropped>, Error> {
        if subject::is_checkpoint(subject) {
            // Of the audit, and not of what somebody did.
            return Ok(None);
        }
        let row = if let Some(gate) = subject::decided_gate(subject) {
            let Some(record) =
                read::<DecisionRecord>(subject, body).filter(|record| record.gate == gate)
            else {
                return Ok(Some(Dropped::Malformed));
            };
            let row = decision_row(sequence, &record);
            let (gate, session) = (record.gate, record.session);
            self.change_gate(gate, session, |facts| facts.record(record))?;
            row
        } else {
            let Some(record) = read::<ActionRecord>(subject, body)
                .filter(|record| subject::audit(&record.action, record.id) == subject)
            else {
                return Ok(Some(Dropped::Malformed));
            };
            self.sent(sequence, &record)?;
            action_row(sequence, record)
        };
        self.rows.insert_audit(&row)?;
        Ok(None)
    }

    /// A message is on its way from here until its session says that it has it.
    fn sent(&mut self, sequence: u64, record: &ActionRecord) -> Result<(), Error> {
        let (Some(session), Some(id), MESSAGE_SEND) =
            (record.session, record.command, record.action.as_str())
        else {
            return Ok(());
        };
        let message = SentMessage {
            id,
            by: record.by,
            by_name: record.by_name.clone(),
            at: record.at,
        };
        self.rows.insert_sent(sequence, session, &message)?;
        self.applied.sessions.insert(session);
        Ok(())
    }
}

fn read<T: DeserializeOwned>(subject: &str, body: &[u8]) -> Option<T> {
    serde_json::from_slice(body)
        .inspect_err(
            |error| tracing::warn!(%error, nats.subject = subject, "a record cannot be read"),
        )
        .ok()
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
