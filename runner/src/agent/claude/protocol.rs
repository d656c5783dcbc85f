//! What the agent writes, as it writes it: private mirrors of the dialect.
//!
//! Lenient on purpose: a line or a field of a newer build never breaks the reading, a field of an unexpected
//! type counts as absent. What stays open in the dialect (tool inputs, results) stays a `Value`. Knows nothing of
//! what any of it means.

mod control;
mod lenient;
mod message;

use std::collections::BTreeMap;

use serde::Deserialize;

pub(super) use lenient::lenient;

pub(super) use control::{Asking, ControlCancel, ControlRequest, ControlResponse, Controlled};
pub(super) use message::{Block, Content, Message, Usage};

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line {
    System(Box<System>),
    StreamEvent(Streamed),
    Assistant(Box<Spoken>),
    User(Box<Carried>),
    Result(Box<TurnResult>),
    RateLimitEvent(RateLimited),
    ControlRequest(Box<ControlRequest>),
    ControlCancelRequest(ControlCancel),
    ControlResponse(Controlled),
    #[serde(other)]
    Other,
}

/// `system`: one struct for all its subtypes, of which each line fills a few fields.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct System {
    #[serde(deserialize_with = "lenient")]
    pub subtype: String,
    #[serde(deserialize_with = "lenient")]
    pub status: Option<String>,
    // init
    #[serde(deserialize_with = "lenient")]
    pub model: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub claude_code_version: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub cwd: Option<String>,
    // api_retry
    #[serde(deserialize_with = "lenient")]
    pub attempt: u32,
    #[serde(deserialize_with = "lenient")]
    pub max_retries: u32,
    #[serde(deserialize_with = "lenient")]
    pub retry_delay_ms: f64,
    #[serde(deserialize_with = "lenient")]
    pub error_status: Option<u16>,
    #[serde(deserialize_with = "lenient")]
    pub error: Option<String>,
    // status
    #[serde(deserialize_with = "lenient")]
    pub compact_result: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub compact_error: Option<String>,
    // compact_boundary
    #[serde(deserialize_with = "lenient")]
    pub compact_metadata: CompactMetadata,
    // task_started, task_notification
    #[serde(deserialize_with = "lenient")]
    pub task_id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub tool_use_id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub summary: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub summary_is_report: bool,
    // task_started
    #[serde(deserialize_with = "lenient")]
    pub is_backgrounded: Option<bool>,
    // background_tasks_changed
    #[serde(deserialize_with = "lenient")]
    pub tasks: Vec<BackgroundTask>,
    // permission_denied
    #[serde(deserialize_with = "lenient")]
    pub tool_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CompactMetadata {
    #[serde(deserialize_with = "lenient")]
    pub pre_tokens: u64,
    #[serde(deserialize_with = "lenient")]
    pub post_tokens: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct BackgroundTask {
    #[serde(deserialize_with = "lenient")]
    pub task_id: String,
}

/// `stream_event`: a server-sent event of the model's endpoint, passed on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Streamed {
    #[serde(deserialize_with = "lenient")]
    pub event: StreamEvent,
    #[serde(deserialize_with = "lenient")]
    pub parent_tool_use_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum StreamEvent {
    MessageStart {
        #[serde(default, deserialize_with = "lenient")]
        message: Message,
    },
    ContentBlockStart {
        #[serde(default, deserialize_with = "lenient")]
        index: u32,
        #[serde(default, deserialize_with = "lenient")]
        content_block: Block,
    },
    ContentBlockDelta {
        #[serde(default, deserialize_with = "lenient")]
        index: u32,
        #[serde(default, deserialize_with = "lenient")]
        delta: BlockDelta,
    },
    MessageDelta {
        #[serde(default, deserialize_with = "lenient")]
        usage: Usage,
    },
    #[default]
    #[serde(other)]
    Other,
}

#[derive(Debug, Default, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum BlockDelta {
    TextDelta {
        #[serde(default, deserialize_with = "lenient")]
        text: String,
    },
    ThinkingDelta {
        #[serde(default, deserialize_with = "lenient")]
        thinking: String,
    },
    #[default]
    #[serde(other)]
    Other,
}

/// `assistant`: one finished block of a message, or several when it was not streamed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Spoken {
    #[serde(deserialize_with = "lenient")]
    pub message: Message,
    #[serde(deserialize_with = "lenient")]
    pub parent_tool_use_id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub agent_id: Option<String>,
    /// Set on text that the agent wrote itself because its model's endpoint failed.
    #[serde(deserialize_with = "lenient")]
    pub error: Option<String>,
}

/// `user`: the carrier of tool results, of replays of our own messages, and of the agent's notes to the model.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Carried {
    #[serde(deserialize_with = "lenient")]
    pub message: Message,
    #[serde(deserialize_with = "lenient")]
    pub uuid: Option<uuid::Uuid>,
    #[serde(rename = "isReplay", deserialize_with = "lenient")]
    pub is_replay: bool,
    #[serde(deserialize_with = "lenient")]
    pub tool_result_meta: Vec<ResultMeta>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ResultMeta {
    #[serde(deserialize_with = "lenient")]
    pub id: String,
    #[serde(deserialize_with = "lenient")]
    pub non_execution_kind: Option<String>,
}

/// `rate_limit_event`: how the account stands, whenever that has changed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RateLimited {
    #[serde(deserialize_with = "lenient")]
    pub rate_limit_info: RateLimit,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RateLimit {
    /// `allowed`, `allowed_warning` or `rejected`.
    #[serde(deserialize_with = "lenient")]
    pub status: String,
    /// Seconds since 1970.
    #[serde(rename = "resetsAt", deserialize_with = "lenient")]
    pub resets_at: Option<i64>,
}

/// `result`: the end of a turn.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TurnResult {
    #[serde(deserialize_with = "lenient")]
    pub subtype: String,
    #[serde(deserialize_with = "lenient")]
    pub is_error: bool,
    #[serde(deserialize_with = "lenient")]
    pub result: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub errors: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    pub stop_reason: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub terminal_reason: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub api_error_status: Option<u16>,
    #[serde(deserialize_with = "lenient")]
    pub num_turns: u64,
    #[serde(deserialize_with = "lenient")]
    pub duration_ms: u64,
    #[serde(deserialize_with = "lenient")]
    pub usage: Usage,
    #[serde(deserialize_with = "lenient")]
    pub total_cost_usd: f64,
    #[serde(rename = "modelUsage", deserialize_with = "lenient")]
    pub model_usage: BTreeMap<String, ModelUsage>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ModelUsage {
    #[serde(rename = "contextWindow", deserialize_with = "lenient")]
    pub context_window: u64,
}
