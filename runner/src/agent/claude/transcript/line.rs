//! Lines of a transcript, as the agent writes them: private mirrors of what is of interest in them.
//!
//! As lenient as the protocol: what is not understood, half a line included, is a line that says nothing.

use serde::Deserialize;

use crate::agent::claude::protocol::{Block, Message, lenient};

#[derive(Debug, Default, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in crate::agent::claude) enum Line {
    Assistant(Box<Entry>),
    User(Box<Entry>),
    Attachment(Box<Entry>),
    #[default]
    #[serde(other)]
    Other,
}

/// One struct for all of them, of which each fills a few fields.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::agent::claude) struct Entry {
    #[serde(deserialize_with = "lenient")]
    pub uuid: String,
    /// Of a subagent's conversation.
    #[serde(deserialize_with = "lenient")]
    pub is_sidechain: bool,
    /// Words of the agent's own in a user's place.
    #[serde(deserialize_with = "lenient")]
    pub is_meta: bool,
    #[serde(deserialize_with = "lenient")]
    pub permission_mode: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub message: Message,
    #[serde(deserialize_with = "lenient")]
    pub attachment: Attachment,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::agent::claude) struct Attachment {
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: String,
    #[serde(rename = "toolUseID", deserialize_with = "lenient")]
    pub tool_use: String,
}

impl Line {
    /// What a line of the conversation itself says; those of subagents say nothing.
    pub fn read(line: &[u8]) -> Self {
        match serde_json::from_slice(line) {
            Ok(Self::Assistant(entry) | Self::User(entry) | Self::Attachment(entry))
                if entry.is_sidechain =>
            {
                Self::Other
            }
            Ok(line) => line,
            Err(_) => Self::Other,
        }
    }
}

impl Entry {
    /// The calls in it: id and tool.
    pub fn calls(self) -> impl Iterator<Item = (String, String)> {
        self.message
            .content
            .blocks()
            .into_iter()
            .filter_map(|block| {
                if let Block::ToolUse { id, name, .. } = block {
                    Some((id, name))
                } else {
                    None
                }
            })
    }

    /// The results in it: id of the call, and whether it failed.
    pub fn results(self) -> impl Iterator<Item = (String, bool)> {
        self.message
            .content
            .blocks()
            .into_iter()
            .filter_map(|block| {
                if let Block::ToolResult {
                    tool_use_id,
                    is_error,
                    ..
                } = block
                {
                    Some((tool_use_id, is_error))
                } else {
                    None
                }
            })
    }
}
