//! The one door to all dialects: an enum, so that a new agent does not compile until every question is answered.

use nats::Timestamp;
use nats::event::{Attachment, Decision};
use nats::ids::{CommandId, GateId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::claude;
use super::configuration::Dialect;
use super::event::{AgentEvent, Input};

/// The state of one agent's dialect. It is stored with the session's log, so a restarted runner reads on mid-line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "dialect", rename_all = "snake_case")]
pub enum Adapter {
    Claude(claude::Adapter),
}

impl Adapter {
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Claude => Self::Claude(claude::Adapter::default()),
        }
    }

    /// What is written first to a new agent process. What was open in the one before is forgotten.
    pub fn handshake(&mut self, generation: u32) -> Vec<Input> {
        match self {
            Self::Claude(adapter) => adapter.handshake(generation),
        }
    }

    /// Reads one line of stdout, without its newline. A line that is no message becomes a notice, never an error.
    pub fn line(&mut self, line: &[u8]) -> Vec<AgentEvent> {
        match self {
            Self::Claude(adapter) => adapter.line(line),
        }
    }

    /// A person's message. `files` are the attachments with their bytes.
    #[must_use]
    pub fn message(
        &self,
        command: CommandId,
        text: &str,
        files: &[(Attachment, Vec<u8>)],
    ) -> Input {
        match self {
            Self::Claude(adapter) => adapter.message(command, text, files),
        }
    }

    /// The answer to the asking `request` for `input`. A refusal is remembered, to tell it from a failure later.
    pub fn answer(
        &mut self,
        gate: GateId,
        request: &str,
        input: &Value,
        decision: &Decision,
    ) -> Input {
        match self {
            Self::Claude(adapter) => adapter.answer(gate, request, input, decision),
        }
    }

    /// When a limit is over, by the agent's sentence about it.
    #[must_use]
    pub fn limit_resets_at(&self, said: &str, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Claude(_) => claude::reset_in_words(said, now),
        }
    }

    /// Ends the turn that runs; the agent lives on.
    #[must_use]
    pub fn interrupt(&self, command: CommandId) -> Input {
        match self {
            Self::Claude(adapter) => adapter.interrupt(command),
        }
    }

    /// Has the agent put its conversation into fewer words. It is a turn, with a result like any other.
    #[must_use]
    pub fn compact(&self, command: CommandId) -> Input {
        match self {
            Self::Claude(adapter) => adapter.compact(command),
        }
    }
}
