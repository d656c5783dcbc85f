//! What one record of the audit holds. A decision *is* its audit record; the first one wins.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::event::Decision;
use crate::ids::{AuditId, CommandId, GateId, HostName, SessionId, UserId};
use crate::timestamp::Timestamp;

/// The one record of a gate's decision, complete enough for any coordinator to finish delivering it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionRecord {
    pub v: u8,
    /// Of this attempt to decide: two people who say the same at the same moment are still two.
    pub id: AuditId,
    pub gate: GateId,
    pub session: SessionId,
    pub host: HostName,
    pub epoch: u64,
    pub tool: String,
    /// The sentence that the person saw.
    pub summary: String,
    pub decision: Decision,
    pub from: Origin,
}

impl DecisionRecord {
    /// Whether `other` is the same attempt, sent once more: the same person says the same of the same input under the same
    /// id. The moment and the place may differ.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let said = |decision: &Decision| {
            let Decision {
                verdict,
                reason,
                input,
                answers,
                input_hash,
                by,
                by_name: _,
                at: _,
            } = decision.clone();
            (verdict, reason, input, answers, input_hash, by)
        };
        self.id == other.id
            && self.gate == other.gate
            && said(&self.decision) == said(&other.decision)
    }
}

/// Anything else a person did that changes something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionRecord {
    pub v: u8,
    pub id: AuditId,
    /// Such as `session.start`, `message.send`, `user.create`, `login`.
    pub action: String,
    #[serde(default)]
    pub by: Option<UserId>,
    #[serde(default)]
    pub by_name: Option<String>,
    #[serde(default)]
    pub session: Option<SessionId>,
    #[serde(default)]
    pub command: Option<CommandId>,
    /// What was acted on, in a few words; never a secret and never a prompt.
    pub subject: String,
    pub at: Timestamp,
    pub from: Origin,
}

/// Where a request came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Origin {
    /// The peer's address, if it is known.
    #[serde(default)]
    pub address: Option<String>,
    /// The browser or program, as it names itself.
    #[serde(default)]
    pub client: Option<String>,
}
