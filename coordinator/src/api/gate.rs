//! Gates: what waits for a human, how they decide, and what became of it.

use std::collections::BTreeMap;

use nats::Timestamp;
use nats::event::{Choice, Decision, GateKind, ToolOutcome, Verdict};
use nats::ids::{AuditId, GateId, HostName, SessionId, TurnId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;
use utoipa::ToSchema;

/// A tool call, question or plan with all that is needed to decide it.
#[derive(Debug, Clone, PartialEq, Serialize, TS, ToSchema)]
pub struct Gate {
    #[schema(value_type = String)]
    pub id: GateId,
    #[schema(value_type = String)]
    pub session: SessionId,
    pub session_title: String,
    #[schema(value_type = String)]
    pub host: HostName,
    pub project: String,
    pub project_name: String,
    pub branch: Option<String>,
    /// Who asks.
    pub agent: String,
    #[schema(value_type = String)]
    pub kind: GateKind,
    pub tool: String,
    /// The agent's own id of the call.
    pub tool_use: String,
    /// Exactly what would run.
    #[schema(value_type = Object)]
    pub input: Value,
    /// Long texts in it are shortened, with a mark: `GET /api/gates/{id}` has them whole.
    pub truncated: bool,
    /// Sha-256 of the canonical JSON of `input`; send it back with the decision.
    pub input_hash: String,
    /// What will happen, in one sentence.
    pub summary: String,
    /// Why it may be risky, in words.
    pub risks: Vec<String>,
    #[schema(value_type = Vec<Object>)]
    pub questions: Vec<Choice>,
    /// In markdown, when `kind` is `plan`.
    pub plan: Option<String>,
    #[schema(value_type = Option<String>)]
    pub turn: Option<TurnId>,
    /// The tool call of the subagent that asks, if it is one.
    pub parent: Option<String>,
    #[schema(value_type = String)]
    pub opened_at: Timestamp,
    /// The number of its `gate.opened`.
    pub seq: u64,
    pub state: GateState,
    /// How often people were told of it again because it waits for long, and when last.
    pub reminders: u32,
    #[schema(value_type = Option<String>)]
    pub reminded_at: Option<Timestamp>,
    #[schema(value_type = Option<Object>)]
    pub decision: Option<Decision>,
    /// Why the agent no longer asks.
    pub withdrawn_reason: Option<String>,
    pub receipts: GateReceipts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateState {
    /// Waits for a human, for as long as it takes.
    Pending,
    /// A human has decided; `receipts` say how far that has come.
    Decided,
    /// The agent no longer asks. Nobody said no.
    Withdrawn,
}

/// How far a decision has come: decided · delivered · released · finished. *Sent* is the asker's own moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, TS, ToSchema)]
pub struct GateReceipts {
    /// The decision is recorded; nobody can decide otherwise any more.
    #[schema(value_type = Option<String>)]
    pub decided_at: Option<Timestamp>,
    /// The host has it in the session's log.
    #[schema(value_type = Option<String>)]
    pub delivered_at: Option<Timestamp>,
    /// The agent was told. From here on the tool may have run.
    #[schema(value_type = Option<String>)]
    pub released_at: Option<Timestamp>,
    /// The tool reported back.
    #[schema(value_type = Option<String>)]
    pub finished_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    pub outcome: Option<ToolOutcome>,
}

/// What a person says of a gate. `allow` and `deny` for tools and plans, `answer` (or `deny`) for questions.
#[derive(Debug, Clone, Deserialize, TS, ToSchema)]
pub struct DecisionRequest {
    /// Of this attempt to decide, chosen by who decides: the same decision with the same id again is the same decision, and
    /// answered as it was. Without one, a decision that is sent again finds itself already made.
    #[serde(default)]
    #[ts(optional)]
    #[schema(value_type = Option<String>)]
    pub id: Option<AuditId>,
    #[schema(value_type = String)]
    pub decision: Verdict,
    /// Why not, word for word for the agent.
    #[serde(default)]
    #[ts(optional)]
    pub reason: Option<String>,
    /// What runs instead of what was asked for; only with `allow`.
    #[serde(default)]
    #[ts(optional)]
    #[schema(value_type = Option<Object>)]
    pub input: Option<Value>,
    /// Question → a label, a list of labels, or free text; only with `answer`.
    #[serde(default)]
    #[ts(optional)]
    #[schema(value_type = Option<Object>)]
    pub answers: Option<BTreeMap<String, Value>>,
    /// Of the input that the person saw: another one is refused.
    #[serde(default)]
    #[ts(optional)]
    pub input_hash: Option<String>,
}
