//! Messages as the model's endpoint has them: blocks of text, thinking, calls and results.

use serde::Deserialize;
use serde_json::Value;

use super::lenient::{Lenient, lenient};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Message {
    #[serde(deserialize_with = "lenient")]
    pub id: String,
    #[serde(deserialize_with = "lenient")]
    pub model: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub content: Content,
    #[serde(deserialize_with = "lenient")]
    pub usage: Usage,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(in super::super) enum Content {
    Text(String),
    Blocks(Vec<Lenient<Block>>),
}

impl Default for Content {
    fn default() -> Self {
        Self::Blocks(Vec::new())
    }
}

impl Content {
    pub(in super::super) fn blocks(self) -> Vec<Block> {
        match self {
            Self::Text(text) => vec![Block::Text { text }],
            Self::Blocks(blocks) => blocks.into_iter().map(|block| block.0).collect(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in super::super) enum Block {
    Text {
        #[serde(default, deserialize_with = "lenient")]
        text: String,
    },
    Thinking {
        #[serde(default, deserialize_with = "lenient")]
        thinking: String,
    },
    ToolUse {
        #[serde(default, deserialize_with = "lenient")]
        id: String,
        #[serde(default, deserialize_with = "lenient")]
        name: String,
        #[serde(default, deserialize_with = "lenient")]
        input: Value,
    },
    ToolResult {
        #[serde(default, deserialize_with = "lenient")]
        tool_use_id: String,
        #[serde(default, deserialize_with = "lenient")]
        content: Content,
        #[serde(default, deserialize_with = "lenient")]
        is_error: bool,
    },
    Image,
    #[default]
    #[serde(other)]
    Other,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Usage {
    #[serde(deserialize_with = "lenient")]
    pub input_tokens: u64,
    #[serde(deserialize_with = "lenient")]
    pub output_tokens: u64,
    #[serde(deserialize_with = "lenient")]
    pub cache_read_input_tokens: u64,
    #[serde(deserialize_with = "lenient")]
    pub cache_creation_input_tokens: u64,
}
