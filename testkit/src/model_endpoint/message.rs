//! One answer of the model, before it is put on the wire.
//!
//! Knows the order of things and the pauses between them; not HTTP, and not the script.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::stamp;

/// What a request is answered with.
#[derive(Debug, PartialEq)]
pub(super) enum Reply {
    Refuse {
        status: u16,
    },
    /// This request and all that come in so many seconds: the account has reached its limit.
    Limit {
        seconds: u64,
    },
    Message(Vec<Part>),
}

/// A block of the message, or something that happens between or within blocks.
#[derive(Debug, PartialEq)]
pub(super) enum Part {
    /// A text block, in the pieces in which it is sent.
    Text {
        pieces: Vec<String>,
        apart: Duration,
    },
    /// A text block of stamps, each taken when it is sent.
    Stamps {
        count: usize,
        apart: Duration,
    },
    Thinking(String),
    Tool {
        id: String,
        name: String,
        input: Value,
    },
    Pause(Duration),
    /// The connection breaks in the middle of a text block.
    Cut,
    /// The connection breaks here, between two blocks.
    CutAfter,
}

impl Part {
    /// A text block that comes word by word, without pauses.
    pub(super) fn text(text: &str) -> Self {
        Self::Text {
            pieces: text.split_inclusive(' ').map(str::to_owned).collect(),
            apart: Duration::ZERO,
        }
    }

    fn tokens(&self) -> usize {
        match self {
            Self::Text { pieces, .. } => pieces.len(),
            Self::Stamps { count, .. } => *count,
            Self::Thinking(text) => text.split_whitespace().count(),
            Self::Tool { input, .. } => 1 + input.to_string().len() / 4,
            Self::Pause(_) | Self::Cut | Self::CutAfter => 0,
        }
    }
}

pub(super) fn stop_reason(parts: &[Part]) -> &'static str {
    if parts.iter().any(|part| matches!(part, Part::Tool { .. })) {
        "tool_use"
    } else {
        "end_turn"
    }
}

pub(super) fn output_tokens(parts: &[Part]) -> usize {
    parts.iter().map(Part::tokens).sum()
}

/// The message without its content, as it stands when an answer begins.
pub(super) fn head(request: &Value) -> Value {
    json!({
        "id": format!("msg_{}", Uuid::now_v7().simple()),
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
        "usage": {"input_tokens": input_tokens(request), "output_tokens": 1},
    })
}

/// A guess, so that costs and context sizes grow as they do with a real model.
pub(super) fn input_tokens(request: &Value) -> usize {
    request.to_string().len() / 4
}

/// The whole message at once, for a request that does not want a stream. It cannot break or pause.
pub(super) fn whole(request: &Value, parts: &[Part]) -> Value {
    let mut message = head(request);
    message["content"] = parts.iter().filter_map(block).collect();
    message["stop_reason"] = json!(stop_reason(parts));
    message["usage"]["output_tokens"] = json!(output_tokens(parts));
    message
}

fn block(part: &Part) -> Option<Value> {
    match part {
        Part::Text { pieces, .. } => Some(json!({"type": "text", "text": pieces.concat()})),
        Part::Stamps { count, .. } => {
            let text: String = (0..*count).map(|_| stamp::taken()).collect();
            Some(json!({"type": "text", "text": text}))
        }
        Part::Thinking(thinking) => {
            Some(json!({"type": "thinking", "thinking": thinking, "signature": "scripted"}))
        }
        Part::Tool { id, name, input } => {
            Some(json!({"type": "tool_use", "id": id, "name": name, "input": input}))
        }
        Part::Pause(_) | Part::Cut | Part::CutAfter => None,
    }
}
