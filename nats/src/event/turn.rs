//! Turns: a stretch of work with a beginning, an outcome and a price.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{CommandId, TurnId};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct TurnStarted {
    pub turn: TurnId,
    /// The message that began it; none when the agent went on by itself.
    #[serde(default)]
    pub command: Option<CommandId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct TurnFinished {
    pub turn: TurnId,
    pub outcome: TurnOutcome,
    /// What went wrong, in the agent's words.
    #[serde(default)]
    pub error: Option<String>,
    #[ts(type = "number")]
    pub duration_ms: u64,
    /// Of this turn alone.
    #[serde(default)]
    pub tokens: Tokens,
    /// US dollars of this turn alone, as the agent reckons them.
    #[serde(default)]
    pub cost_usd: f64,
    /// Tokens in the model's context after the turn, and how many it holds.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub context_tokens: Option<u64>,
    #[serde(default)]
    #[ts(type = "number | null")]
    pub context_tokens_max: Option<u64>,
    /// Its agent or host died, or its account's limit was reached, in the middle of it: the message "continue" goes
    /// on from there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub can_continue: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TurnOutcome {
    Completed,
    Interrupted,
    Failed,
    /// The answer ended without the model saying why: it may be cut short.
    Cut,
    /// An outcome of a newer build.
    #[serde(other)]
    Other,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Tokens {
    #[ts(type = "number")]
    pub input: u64,
    #[ts(type = "number")]
    pub output: u64,
    #[ts(type = "number")]
    pub cache_read: u64,
    #[ts(type = "number")]
    pub cache_write: u64,
}
