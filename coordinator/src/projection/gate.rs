//! What is known of one gate, merged from two streams that may arrive in any order.
//!
//! Opened < decided < delivered < released < finished: nothing here ever goes back, except that a gate asked
//! again after it was withdrawn waits again.

use nats::Timestamp;
use nats::audit::DecisionRecord;
use nats::event::{Decision, GateOpened, ObjectReference, ToolOutcome};
use serde::{Deserialize, Serialize};

use crate::api::{GateReceipts, GateState};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GateFacts {
    pub opened: Option<Opened>,
    /// The decision as it is recorded: the first one won.
    pub recorded: Option<DecisionRecord>,
    /// The decision as the session's log has it.
    pub delivered: Option<Delivered>,
    pub withdrawn: Option<Withdrawn>,
    pub released_at: Option<Timestamp>,
    pub finished: Option<Finished>,
    /// How often people were told of it again, and when last.
    #[serde(default)]
    pub reminded: Option<Reminded>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    pub gate: GateOpened,
    /// Where the whole of it lies, when `gate` is shortened.
    pub object: Option<ObjectReference>,
    pub seq: u64,
    /// Of the first time: that is how long a human has been waited for.
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivered {
    pub decision: Decision,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Withdrawn {
    pub reason: String,
    pub seq: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    pub outcome: ToolOutcome,
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reminded {
    pub count: u32,
    pub at: Timestamp,
}

impl GateFacts {
    pub(super) fn open(
        &mut self,
        gate: GateOpened,
        object: Option<ObjectReference>,
        seq: u64,
        at: Timestamp,
    ) {
        let first = self.opened.as_ref().map_or(at, |opened| opened.at);
        self.opened = Some(Opened {
            gate,
            object,
            seq,
            at: first,
        });
    }

    pub(super) fn record(&mut self, record: DecisionRecord) {
        self.recorded.get_or_insert(record);
    }

    pub(super) fn deliver(&mut self, decision: Decision, at: Timestamp) {
        self.delivered.get_or_insert(Delivered { decision, at });
    }

    pub(super) fn withdraw(&mut self, reason: String, seq: u64) {
        // One that stands says why; the end of the session that follows says less.
        if self.delivered.is_none() && self.withdrawn_reason().is_none() {
            self.withdrawn = Some(Withdrawn { reason, seq });
        }
    }

    pub(super) fn remind(&mut self, count: u32, at: Timestamp) {
        if self.reminded.is_none_or(|last| last.count < count) {
            self.reminded = Some(Reminded { count, at });
        }
    }

    pub(super) fn release(&mut self, at: Timestamp) {
        self.released_at.get_or_insert(at);
    }

    pub(super) fn finish(&mut self, outcome: ToolOutcome, at: Timestamp) {
        self.finished.get_or_insert(Finished { outcome, at });
    }

    /// None while only a decision is known and not what was asked.
    #[must_use]
    pub fn state(&self) -> Option<GateState> {
        self.opened.as_ref()?;
        if self.delivered.is_some() {
            return Some(GateState::Decided);
        }
        if self.withdrawn_reason().is_some() {
            return Some(GateState::Withdrawn);
        }
        Some(if self.recorded.is_some() {
            GateState::Decided
        } else {
            GateState::Pending
        })
    }

    /// A recorded decision that nothing has answered yet: it is sent until something does.
    #[must_use]
    pub fn unsettled(&self) -> bool {
        self.recorded.is_some() && self.delivered.is_none() && self.withdrawn_reason().is_none()
    }

    /// Why the agent no longer asks; none if it asked again since.
    #[must_use]
    pub fn withdrawn_reason(&self) -> Option<&str> {
        let opened = self.opened.as_ref().map_or(0, |opened| opened.seq);
        let withdrawn = self.withdrawn.as_ref()?;
        (withdrawn.seq > opened && self.delivered.is_none()).then_some(withdrawn.reason.as_str())
    }

    /// What was decided. A withdrawn gate has no decision, even if one came too late.
    #[must_use]
    pub fn decision(&self) -> Option<&Decision> {
        match &self.delivered {
            Some(delivered) => Some(&delivered.decision),
            None if self.withdrawn_reason().is_some() => None,
            None => self.recorded.as_ref().map(|record| &record.decision),
        }
    }

    #[must_use]
    pub fn receipts(&self) -> GateReceipts {
        GateReceipts {
            decided_at: self.decision().map(|decision| decision.at),
            delivered_at: self.delivered.as_ref().map(|delivered| delivered.at),
            released_at: self.released_at,
            finished_at: self.finished.as_ref().map(|finished| finished.at),
            outcome: self.finished.as_ref().map(|finished| finished.outcome),
        }
    }
}
