//! Gates: tool calls, questions and plans that wait for a human. No field here is a deadline.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use crate::ids::{GateId, TurnId, UserId};
use crate::timestamp::Timestamp;

/// The agent waits, for as long as it takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct GateOpened {
    pub gate: GateId,
    pub kind: GateKind,
    /// The agent's id of the call. The same call asked again keeps its gate.
    pub tool_use: String,
    pub tool: String,
    /// Exactly what would run.
    pub input: Value,
    /// Of the canonical JSON of `input`; a decision names it, so that nobody approves what they did not see.
    pub input_hash: String,
    /// What will happen, in one sentence.
    pub summary: String,
    /// Why it may be risky, in words; empty when nothing stands out.
    #[serde(default)]
    pub risks: Vec<String>,
    /// Empty when no turn runs: background work may ask too.
    #[serde(default)]
    pub turn: Option<TurnId>,
    /// The tool call of the subagent that asks, if it is one.
    #[serde(default)]
    pub parent: Option<String>,
    /// The questions, when `kind` is `question`.
    #[serde(default)]
    pub questions: Vec<Choice>,
    /// The plan in markdown, when `kind` is `plan`.
    #[serde(default)]
    pub plan: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum GateKind {
    Tool,
    Question,
    Plan,
}

/// One question with the answers that the agent offers. A free answer is always possible.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Choice {
    pub question: String,
    #[serde(default)]
    pub header: String,
    pub options: Vec<Answer>,
    #[serde(default)]
    pub several: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Answer {
    pub label: String,
    #[serde(default)]
    pub description: String,
}

/// A person has decided and the session's log says so; the agent is told once this is acknowledged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct GateDecided {
    pub gate: GateId,
    pub decision: Decision,
}

/// What a person said of a gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Decision {
    pub verdict: Verdict,
    /// Why not, word for word for the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
    /// What runs instead of what was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub input: Option<Value>,
    /// Question → a label, a list of labels, or free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub answers: Option<BTreeMap<String, Value>>,
    /// The hash of the input that the person saw.
    pub input_hash: String,
    pub by: UserId,
    /// What people call them.
    pub by_name: String,
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Allow,
    Deny,
    Answer,
}

/// The agent no longer asks. Nobody said no.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct GateWithdrawn {
    pub gate: GateId,
    /// In a sentence: interrupted, agent gone, too late …
    pub reason: String,
    /// Its agent died: the message "continue" has the next one go on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub can_continue: bool,
}

/// A gate has waited for long. It decides nothing and changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct GateReminded {
    pub gate: GateId,
    /// Since it opened.
    #[ts(type = "number")]
    pub waited_minutes: u64,
    /// 1 for the first reminder of this gate, one more for each that followed.
    pub count: u32,
}
