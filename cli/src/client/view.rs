//! What the client shows of the server's answers: a few fields each, read leniently.
//!
//! Not the API's own types: those are written by the server and read here by a client that may be older. A
//! field that is only shown may be missing; a state of a newer server is shown by its own word.

use nats::Timestamp;
use nats::event::{Choice, Decision, GateKind, State, ToolOutcome};
use nats::ids::{GateId, SessionId};
use nats::record::{AgentReport, ProjectReport};
use serde::Deserialize;
use serde_json::Value;

/// A word that this build may not know.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Word<T> {
    Known(T),
    New(String),
}

impl<T: PartialEq> Word<T> {
    pub(super) fn is(&self, word: &T) -> bool {
        matches!(self, Self::Known(known) if known == word)
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct SessionView {
    pub id: SessionId,
    pub title: String,
    pub state: Word<State>,
    #[serde(default)]
    pub state_reason: Option<String>,
    #[serde(default)]
    pub project_name: String,
    #[serde(default)]
    pub agent: String,
    #[serde(default)]
    pub model: Option<String>,
    /// None while it waits for one.
    #[serde(default)]
    pub host: Option<String>,
    #[serde(default)]
    pub placed_because: Option<String>,
    #[serde(default)]
    pub queue: Option<QueueView>,
    #[serde(default)]
    pub branch: Option<String>,
    #[serde(default)]
    pub worktree: Option<String>,
    #[serde(default)]
    pub isolated: Option<bool>,
    #[serde(default)]
    pub pending_gates: u32,
    #[serde(default)]
    pub waiting_since: Option<Timestamp>,
    #[serde(default)]
    pub undelivered: Vec<SentView>,
    /// The message "continue" goes on from where it broke off.
    #[serde(default)]
    pub can_continue: bool,
    #[serde(default)]
    pub continue_reason: Option<String>,
    #[serde(default)]
    pub limit: Option<LimitView>,
    #[serde(default)]
    pub added: u32,
    #[serde(default)]
    pub removed: u32,
    #[serde(default)]
    pub turns: u32,
    #[serde(default)]
    pub cost_usd: f64,
    #[serde(default)]
    pub last_seq: u64,
    pub created_at: Timestamp,
    #[serde(default)]
    pub created_by_name: Option<String>,
    pub updated_at: Timestamp,
}

/// Where a session stands among those that wait for a host.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct QueueView {
    pub position: u32,
    pub length: u32,
}

/// A usage limit that stands.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct LimitView {
    pub message: String,
    #[serde(default)]
    pub resets_at: Option<Timestamp>,
    pub resumes: bool,
}

/// A message that the host has not taken.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SentView {
    pub at: Timestamp,
    #[serde(default)]
    pub by_name: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct GateView {
    pub id: GateId,
    pub session: SessionId,
    #[serde(default)]
    pub session_title: String,
    #[serde(default)]
    pub host: String,
    #[serde(default)]
    pub project_name: String,
    #[serde(default)]
    pub branch: Option<String>,
    #[serde(default)]
    pub agent: String,
    pub kind: Word<GateKind>,
    pub tool: String,
    pub input: Value,
    pub input_hash: String,
    pub summary: String,
    #[serde(default)]
    pub risks: Vec<String>,
    #[serde(default)]
    pub questions: Vec<Choice>,
    #[serde(default)]
    pub plan: Option<String>,
    #[serde(default)]
    pub parent: Option<String>,
    pub opened_at: Timestamp,
    pub state: Word<GateState>,
    #[serde(default)]
    pub decision: Option<Decision>,
    #[serde(default)]
    pub withdrawn_reason: Option<String>,
    #[serde(default)]
    pub receipts: ReceiptsView,
}

pub(super) use coordinator::api::{Accepted, GateState, HostState};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ReceiptsView {
    pub delivered_at: Option<Timestamp>,
    pub released_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub outcome: Option<ToolOutcome>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct HostView {
    pub host: String,
    pub state: Word<HostState>,
    #[serde(default)]
    pub heard_at: Option<Timestamp>,
    #[serde(default)]
    pub version: String,
    #[serde(default)]
    pub isolated: bool,
    #[serde(default)]
    pub agents: Vec<AgentReport>,
    #[serde(default)]
    pub projects: Vec<ProjectReport>,
    #[serde(default)]
    pub slots: u32,
    #[serde(default)]
    pub sessions: u32,
    #[serde(default)]
    pub waiting_for_slot: u32,
    #[serde(default)]
    pub draining: Option<DrainingView>,
    #[serde(default)]
    pub commands_refused: u64,
    #[serde(default)]
    pub memory_bytes: u64,
    #[serde(default)]
    pub memory_free_bytes: Option<u64>,
    #[serde(default)]
    pub load: Option<f64>,
    #[serde(default)]
    pub revoked_at: Option<Timestamp>,
}

/// Since when a host takes no new sessions.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct DrainingView {
    pub since: Timestamp,
    #[serde(default)]
    pub by_name: String,
}
