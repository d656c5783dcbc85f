//! The agent process: up, gone, or trying its model again.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The agent answered its handshake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct AgentReady {
    pub agent: String,
    #[serde(default)]
    pub version: Option<String>,
    #[serde(default)]
    pub model: Option<String>,
    /// 1 for the first process of this session, one more for each that followed.
    pub generation: u32,
}

/// The agent process is gone. What it leaves open is withdrawn by events of its own, never denied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct AgentExited {
    pub generation: u32,
    /// Exit code, if it ended by itself.
    #[serde(default)]
    pub code: Option<i32>,
    /// Signal number, if it was ended.
    #[serde(default)]
    pub signal: Option<i32>,
    /// True when this end was asked for.
    pub expected: bool,
    /// What happened, in a sentence.
    pub reason: String,
    /// The end of what it wrote to stderr, at most 8 KiB.
    #[serde(default)]
    pub stderr_tail: String,
}

/// The model's endpoint failed and the agent tries again by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct AgentRetrying {
    pub attempt: u32,
    pub attempts_max: u32,
    #[ts(type = "number")]
    pub delay_ms: u64,
    /// HTTP status, if there was an answer.
    #[serde(default)]
    pub status: Option<u16>,
    pub error: String,
}
