//! What a step asks for: events to record first, then effects to perform.

use nats::Event;
use nats::event::{Attachment, BlockKind, Decision};
use nats::ids::{CommandId, GateId, TurnId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The answer to one input.
#[derive(Debug, Default, PartialEq)]
pub struct Step {
    /// To be numbered and recorded in this order, with the machine, in one transaction.
    pub events: Vec<Event>,
    /// To be performed after that, in this order.
    pub effects: Vec<Effect>,
}

impl Step {
    pub(super) fn event(&mut self, event: impl Into<Event>) {
        self.events.push(event.into());
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }
}

/// Something to do. Each may be asked for again after a restart, so doing it twice must change nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    OpenWorktree,
    StartAgent {
        generation: u32,
    },
    /// The agent should ask for a call again by itself: tell when it has not for long.
    ExpectAsk {
        generation: u32,
    },
    /// Ends the agent with everything it started, and its shim.
    EndAgent {
        generation: u32,
    },
    /// Written to the agent once, however often asked for.
    Send(Outgoing),
    /// Text of an unfinished block, for those who watch now.
    Live {
        turn: Option<TurnId>,
        message: String,
        block: u32,
        kind: BlockKind,
        text: String,
    },
    /// A block is final: its live text is void.
    BlockDone {
        message: String,
        block: u32,
    },
    /// See what changed in the worktree.
    LookAtFiles {
        tool_use: Option<String>,
    },
}

/// A message to the agent, kept until the shim says that it was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outgoing {
    Handshake {
        generation: u32,
    },
    Message {
        command: CommandId,
        text: String,
        attachments: Vec<Attachment>,
    },
    Answer {
        gate: GateId,
        request: String,
        input: Value,
        decision: Decision,
    },
    Interrupt {
        command: CommandId,
    },
    /// An answer that the adapter itself owes the agent.
    Reply {
        id: String,
        bytes: Vec<u8>,
    },
}

impl Outgoing {
    /// The id under which the shim writes it once.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Handshake { generation } => format!("initialize_{generation}"),
            Self::Message { command, .. } | Self::Interrupt { command } => command.to_string(),
            Self::Answer { gate, .. } => gate.to_string(),
            Self::Reply { id, .. } => id.clone(),
        }
    }
}
