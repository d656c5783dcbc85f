//! What people and agents say.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{AttachmentId, CommandId, TurnId, UserId};

/// A person's message is in the session's keeping. The command's id is its receipt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct MessageUser {
    pub command: CommandId,
    pub text: String,
    pub delivery: Delivery,
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    #[serde(default)]
    pub by: Option<UserId>,
}

/// The agent has taken the message up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct MessageDelivered {
    pub command: CommandId,
    pub turn: TurnId,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// After the turn that runs, each message a turn of its own.
    #[default]
    Queue,
    /// Into the turn that runs.
    Steer,
}

/// A file given with a message. Its bytes are in the host's object bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Attachment {
    pub id: AttachmentId,
    pub name: String,
    pub media_type: String,
    #[ts(type = "number")]
    pub bytes: u64,
    /// Sha-256 in hex.
    pub sha256: String,
}

/// One finished block of an agent's message. Deltas of the same `message` and `block` are void from here on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct MessageAssistant {
    #[serde(default)]
    pub turn: Option<TurnId>,
    /// The agent's own id of the message; blocks of one message share it.
    pub message: String,
    /// Position of the block in its message, from 0.
    pub block: u32,
    pub kind: BlockKind,
    pub text: String,
    /// The tool call of the subagent that speaks, if it is one.
    #[serde(default)]
    pub parent: Option<String>,
}

impl Attachment {
    /// Under which its bytes lie in the host's object bucket.
    #[must_use]
    pub fn object_name(&self) -> String {
        format!("attachments/{}", self.id)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    Text,
    Thinking,
    #[serde(other)]
    Other,
}
