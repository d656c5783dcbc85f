//! Commands: what a person wishes of a session, in the imperative.
//!
//! A command is published once on a subject of its own, so sending it again changes nothing, and the runner
//! remembers its id, so receiving it again changes nothing either.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::event::{Attachment, Decision, Delivery};
use crate::ids::{CommandId, GateId, HostName, SessionId, UserId};
use crate::timestamp::Timestamp;
use crate::wire::{Wire, messages};

/// What every command is wrapped in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub v: u8,
    pub id: CommandId,
    pub session: SessionId,
    pub host: HostName,
    /// The session's epoch as the sender knew it; a runner of another epoch refuses.
    pub epoch: u64,
    pub at: Timestamp,
    #[serde(default)]
    pub by: Option<UserId>,
    /// `type` and `data`.
    #[serde(flatten)]
    pub body: Wire<Command>,
}

/// The type of a message's command, and the action of its audit record: that one tells every coordinator of a message
/// that its host has not taken yet.
pub const MESSAGE_SEND: &str = "message.send";

messages! {
    /// One wish.
    pub enum Command {
        "session.start" => SessionStart(SessionStart),
        "session.resume" => SessionResume(SessionResume),
        "session.stop" => SessionStop(SessionStop),
        "message.send" => MessageSend(MessageSend),
        "gate.decide" => GateDecide(GateDecide),
        "turn.interrupt" => TurnInterrupt(TurnInterrupt),
        "limit.resume" => LimitResume(LimitResume),
        "session.report" => SessionReport(SessionReport),
    }
}

/// Make the worktree and start the agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct SessionStart {
    pub project: String,
    pub agent: String,
    pub title: String,
    /// A branch or commit; the checkout's own commit when absent.
    #[serde(default)]
    pub base: Option<String>,
    /// The first message.
    #[serde(default)]
    pub prompt: Option<MessageSend>,
    /// The id under which the first message is known.
    #[serde(default)]
    pub prompt_id: Option<CommandId>,
}

/// Start the agent again after it is gone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct SessionResume {}

/// End the session: agent and shim go, the worktree stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct SessionStop {}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct MessageSend {
    pub text: String,
    #[serde(default)]
    pub delivery: Delivery,
    #[serde(default)]
    pub attachments: Vec<Attachment>,
}

/// A recorded decision, on its way to the gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct GateDecide {
    pub gate: GateId,
    pub decision: Decision,
}

/// Go on by itself once a usage limit is over, or do not. Holds for this session from now on, also for a limit that
/// stands already.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct LimitResume {
    pub enabled: bool,
}

/// Tell how the session's log stands. Answered by a live `report`; nothing is done and nothing recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SessionReport {
    /// Rows after this one …
    #[ts(type = "number")]
    pub after: u64,
    /// … up to this one are hashed.
    #[ts(type = "number")]
    pub up_to: u64,
    /// Tell each row, and not ranges of them; at most one range of [`crate::report::GROUP_ROWS`].
    #[serde(default)]
    pub rows: bool,
}

/// End the turn that runs; the agent lives on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct TurnInterrupt {}
