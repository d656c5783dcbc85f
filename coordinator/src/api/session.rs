//! Sessions: how one is asked for, and how it stands.

use std::collections::BTreeMap;

use nats::Timestamp;
use nats::event::{State, Tokens};
use nats::ids::{CommandId, GateId, HostName, SessionId, UserId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::SentMessage;

/// A new session. `host` left out = placed, or queued until some host has room; `id` given = asking again changes nothing.
#[derive(Debug, Clone, Deserialize, TS, ToSchema)]
pub struct SessionCreate {
    #[serde(default)]
    #[ts(optional)]
    #[schema(value_type = Option<String>)]
    pub id: Option<SessionId>,
    /// The project's id; its name serves where only one project has it.
    pub project: String,
    /// As configured: `claude`, `rehearsal` …
    pub agent: String,
    /// The first message.
    #[serde(default)]
    #[ts(optional)]
    pub prompt: Option<String>,
    /// The id under which the first message is known in `message.user`.
    #[serde(default)]
    #[ts(optional)]
    #[schema(value_type = Option<String>)]
    pub prompt_id: Option<CommandId>,
    #[serde(default)]
    #[ts(optional)]
    pub host: Option<String>,
    /// Labels that its host must bear, as `[runner] labels` gives them: `{"gpu": "a100"}`.
    #[serde(default)]
    #[ts(optional, as = "Option<BTreeMap<String, String>>")]
    pub host_labels: BTreeMap<String, String>,
    /// A branch or commit; the checkout's own commit when absent.
    #[serde(default)]
    #[ts(optional)]
    pub base: Option<String>,
    /// The first line of the prompt when absent.
    #[serde(default)]
    #[ts(optional)]
    pub title: Option<String>,
    #[serde(default)]
    #[ts(optional, as = "Option<BTreeMap<String, String>>")]
    pub labels: BTreeMap<String, String>,
}

/// An account that may ask its model for nothing more for now.
#[derive(Debug, Clone, PartialEq, Serialize, TS, ToSchema)]
pub struct UsageLimit {
    /// In the agent's words.
    pub message: String,
    #[schema(value_type = Option<String>)]
    pub resets_at: Option<Timestamp>,
    /// The session goes on by itself then.
    pub resumes: bool,
}

/// Whether a session goes on by itself once a usage limit is over.
#[derive(Debug, Clone, Deserialize, TS, ToSchema)]
pub struct ResumeAtResetRequest {
    pub enabled: bool,
    /// The same id again changes nothing.
    #[serde(default)]
    #[ts(optional)]
    #[schema(value_type = Option<String>)]
    pub id: Option<CommandId>,
}

/// How a session stands.
#[derive(Debug, Clone, PartialEq, Serialize, TS, ToSchema)]
pub struct SessionRow {
    #[schema(value_type = String)]
    pub id: SessionId,
    pub title: String,
    /// The project's id and its name.
    pub project: String,
    pub project_name: String,
    pub agent: String,
    /// None while it waits for one.
    #[schema(value_type = Option<String>)]
    pub host: Option<HostName>,
    /// Why it is there, in a sentence.
    pub placed_because: Option<String>,
    /// Where it stands among those that wait for a host.
    pub queue: Option<QueuePlace>,
    pub epoch: u64,
    #[schema(value_type = String)]
    pub state: State,
    /// Why, in a sentence, where it is not plain.
    pub state_reason: Option<String>,
    /// `flotilla/<short id>`, once the worktree is made.
    pub branch: Option<String>,
    /// What was asked for, then the commit it became.
    pub base: Option<String>,
    /// The worktree on the host.
    pub worktree: Option<String>,
    pub isolated: Option<bool>,
    pub model: Option<String>,
    /// Gates that wait for a human, and since when the oldest of them does.
    pub pending_gates: u32,
    #[schema(value_type = Option<String>)]
    pub oldest_gate: Option<GateId>,
    #[schema(value_type = Option<String>)]
    pub waiting_since: Option<Timestamp>,
    /// Messages that are on their way to the host, oldest first: accepted, and not delivered.
    pub undelivered: Vec<SentMessage>,
    /// Lines, over all file changes so far.
    pub added: u32,
    pub removed: u32,
    pub turns: u32,
    #[schema(value_type = Object)]
    pub tokens: Tokens,
    pub cost_usd: f64,
    pub context_tokens: Option<u64>,
    pub context_tokens_max: Option<u64>,
    /// It broke off because its agent or host died, or at a limit: the message "continue" goes on from there.
    pub can_continue: bool,
    /// Why it broke off, in a sentence.
    pub continue_reason: Option<String>,
    /// The usage limit of its agent's account, while it stands.
    pub limit: Option<UsageLimit>,
    /// The last number of its log; 0 while there is none.
    pub last_seq: u64,
    pub labels: BTreeMap<String, String>,
    /// It ran in another fleet, and is only to be read here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub imported: Option<ImportedFrom>,
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    #[schema(value_type = String)]
    pub created_by: UserId,
    pub created_by_name: Option<String>,
    /// Its last event, or its creation.
    #[schema(value_type = String)]
    pub updated_at: Timestamp,
}

/// Where a session stands among those that wait for a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS, ToSchema)]
pub struct QueuePlace {
    /// From 1: the one that is placed next, as far as can be said now.
    pub position: u32,
    /// How many wait.
    pub length: u32,
    /// What each host lacks, in words.
    pub reason: String,
}

/// Where an imported session comes from.
#[derive(Debug, Clone, PartialEq, Serialize, TS, ToSchema)]
pub struct ImportedFrom {
    /// Where it ran.
    #[schema(value_type = String)]
    pub host: HostName,
    #[schema(value_type = String)]
    pub at: Timestamp,
    #[schema(value_type = String)]
    pub by: UserId,
    pub by_name: Option<String>,
}

/// What came of an import.
#[derive(Debug, Clone, PartialEq, Serialize, TS, ToSchema)]
pub struct SessionImported {
    pub session: SessionRow,
    pub events: u64,
    pub objects: u64,
    /// It was imported from the same file before; nothing was changed.
    pub already: bool,
}
