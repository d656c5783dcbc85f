//! Tool calls, from the agent's wish to what came of it. `tool_use` is the agent's own id of the call.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use crate::ids::{GateId, TurnId};

/// The agent wants to use a tool. Nothing has run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ToolRequested {
    pub tool_use: String,
    #[serde(default)]
    pub turn: Option<TurnId>,
    pub tool: String,
    pub input: Value,
    /// The tool call of the subagent that asks, if it is one.
    #[serde(default)]
    pub parent: Option<String>,
}

/// The decision is durable and the agent is about to be told. From here on the tool may have run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ToolReleased {
    pub tool_use: String,
    pub gate: GateId,
    pub allowed: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ToolFinished {
    pub tool_use: String,
    pub outcome: ToolOutcome,
    /// What the agent saw of it.
    pub output: String,
    /// Bytes of the whole output.
    #[ts(type = "number")]
    pub output_bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ToolOutcome {
    Succeeded,
    Failed,
    /// A person said no.
    Denied,
    /// The turn was interrupted before or while it ran.
    Interrupted,
    /// The agent was gone before it could say: it may have run.
    Unknown,
    #[serde(other)]
    Other,
}

/// Where the whole of something lies that is too big for an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ObjectReference {
    pub bucket: String,
    pub name: String,
    #[ts(type = "number")]
    pub bytes: u64,
    /// Sha-256 in hex.
    pub sha256: String,
}
