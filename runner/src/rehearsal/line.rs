//! The lines that an agent of this dialect writes: shapes only, no decisions.
//!
//! They are what Claude Code 2.1 was seen to write, with zeros for tokens and cost: a rehearsal spends none.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

pub(super) const MODEL: &str = "rehearsal";

/// What a turn came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Completed,
    /// Stopped while it spoke or slept.
    AbortedStreaming,
    /// Stopped while a tool waited or ran.
    AbortedTools,
    /// Refused because its account is used up.
    LimitReached,
}

pub(super) fn initialized(request: &str, pending: Option<Vec<Value>>) -> Value {
    let mut response = json!({
        "subtype": "success", "request_id": request,
        "response": {
            "commands": [], "agents": [], "output_style": "default", "available_output_styles": ["default"],
            "models": [{ "value": MODEL, "resolvedModel": MODEL, "displayName": "Rehearsal (follows a script; not a model)",
                         "description": "Needs no account and spends no tokens" }],
            "account": { "tokenSource": "none", "apiKeySource": "none" },
            "claude_code_version": env!("CARGO_PKG_VERSION"), "pid": std::process::id(),
        },
    });
    if let Some(pending) = pending {
        response["pending_permission_requests"] = pending.into();
        response["pending_user_dialog_requests"] = json!([]);
    }
    json!({ "type": "control_response", "response": response })
}

pub(super) fn accepted(request: &str, body: Option<Value>) -> Value {
    let mut response = json!({ "subtype": "success", "request_id": request });
    if let Some(body) = body {
        response["response"] = body;
    }
    json!({ "type": "control_response", "response": response })
}

pub(super) fn unsupported(request: &str, subtype: &str) -> Value {
    json!({ "type": "control_response", "response": { "subtype": "error", "request_id": request,
            "error": format!("Unsupported control request subtype: {subtype}") } })
}

pub(super) fn init(folder: &Path, mode: &str) -> Value {
    json!({
        "type": "system", "subtype": "init", "cwd": folder, "model": MODEL, "permissionMode": mode,
        "tools": ["AskUserQuestion", "Bash", "ExitPlanMode", "Read", "Write"],
        "mcp_servers": [], "slash_commands": [], "apiKeySource": "none", "claude_code_version": env!("CARGO_PKG_VERSION"),
        "output_style": "default", "agents": [], "skills": [], "plugins": [],
    })
}

pub(super) fn requesting() -> Value {
    json!({ "type": "system", "subtype": "status", "status": "requesting" })
}

pub(super) fn mode(mode: &str) -> Value {
    json!({ "type": "system", "subtype": "status", "status": null, "permissionMode": mode })
}

pub(super) fn state(state: &str) -> Value {
    json!({ "type": "system", "subtype": "session_state_changed", "state": state })
}

pub(super) fn replay(uuid: &str, message: &Value) -> Value {
    json!({ "type": "user", "message": message, "parent_tool_use_id": null, "uuid": uuid, "timestamp": now(), "isReplay": true })
}

pub(super) fn stream_event(event: Value) -> Value {
    json!({ "type": "stream_event", "event": event, "parent_tool_use_id": null })
}

pub(super) fn message_start(message: &str) -> Value {
    let mut start = assistant_message(message, json!([]));
    if let Some(fields) = start.as_object_mut() {
        fields.remove("context_management");
    }
    stream_event(json!({ "type": "message_start", "message": start }))
}

pub(super) fn assistant(message: &str, block: Value) -> Value {
    json!({ "type": "assistant", "message": assistant_message(message, json!([block])), "parent_tool_use_id": null })
}

fn assistant_message(message: &str, content: Value) -> Value {
    json!({ "id": message, "type": "message", "role": "assistant", "model": MODEL, "content": content,
            "stop_reason": null, "stop_sequence": null, "context_management": null,
            "usage": { "input_tokens": 0, "output_tokens": 0, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0 } })
}

pub(super) fn can_use_tool(
    request: &str,
    tool_use: &str,
    tool: &str,
    input: &Value,
    description: &str,
) -> Value {
    json!({ "type": "control_request", "request_id": request, "request": {
        "subtype": "can_use_tool", "tool_name": tool, "display_name": tool, "input": input,
        "description": description, "decision_reason_type": "rule", "tool_use_id": tool_use } })
}

pub(super) fn cancel(request: &str) -> Value {
    json!({ "type": "control_cancel_request", "request_id": request })
}

pub(super) fn tool_result(
    tool_use: &str,
    content: &str,
    is_error: bool,
    structured: Value,
) -> Value {
    let mut block = json!({ "tool_use_id": tool_use, "type": "tool_result", "content": content });
    if is_error {
        block["is_error"] = true.into();
    }
    json!({ "type": "user", "message": { "role": "user", "content": [block] }, "parent_tool_use_id": null,
            "timestamp": now(), "tool_use_result": structured })
}

pub(super) fn interrupted(outcome: Outcome) -> Value {
    let text = match outcome {
        Outcome::AbortedTools => "[Request interrupted by user for tool use]",
        Outcome::AbortedStreaming | Outcome::Completed | Outcome::LimitReached => {
            "[Request interrupted by user]"
        }
    };
    json!({ "type": "user", "message": { "role": "user", "content": [{ "type": "text", "text": text }] },
            "parent_tool_use_id": null, "timestamp": now() })
}

/// What a result line reports.
pub(super) struct Report<'a> {
    pub outcome: Outcome,
    pub elapsed: Duration,
    pub messages: u64,
    /// The last thing it said.
    pub said: &'a str,
    pub denials: &'a [Value],
}

pub(super) fn result(report: &Report) -> Value {
    let mut line = json!({
        "type": "result", "subtype": "success", "is_error": false,
        "duration_ms": u64::try_from(report.elapsed.as_millis()).unwrap_or(u64::MAX), "duration_api_ms": 0,
        "num_turns": report.messages, "stop_reason": "end_turn", "total_cost_usd": 0,
        "usage": { "input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 0,
                   "server_tool_use": { "web_search_requests": 0, "web_fetch_requests": 0 }, "service_tier": "standard" },
        "modelUsage": {}, "permission_denials": report.denials, "terminal_reason": "completed", "fast_mode_state": "off",
    });
    let (reason, stop) = match report.outcome {
        Outcome::Completed => {
            line["result"] = report.said.into();
            line["api_error_status"] = Value::Null;
            return line;
        }
        Outcome::LimitReached => {
            line["result"] = report.said.into();
            line["is_error"] = true.into();
            line["api_error_status"] = 429.into();
            line["stop_reason"] = "stop_sequence".into();
            return line;
        }
        Outcome::AbortedStreaming => ("aborted_streaming", "null"),
        Outcome::AbortedTools => ("aborted_tools", "tool_use"),
    };
    line["subtype"] = "error_during_execution".into();
    line["is_error"] = true.into();
    line["terminal_reason"] = reason.into();
    line["stop_reason"] = if stop == "null" {
        Value::Null
    } else {
        stop.into()
    };
    line["errors"] = json!([format!(
        "[ede_diagnostic] result_type=user last_content_type=n/a stop_reason={stop}"
    )]);
    line
}

/// How the account stands: refused until then, in seconds since 1970.
pub(super) fn rejected(until: i64) -> Value {
    json!({ "type": "rate_limit_event", "rate_limit_info": {
        "status": "rejected", "resetsAt": until, "rateLimitType": "five_hour", "isUsingOverage": false } })
}

/// The agent's own words about an account that is refused.
pub(super) fn refused(text: &str) -> Value {
    let mut line = assistant(&new_id("msg"), json!({ "type": "text", "text": text }));
    line["error"] = "rate_limit".into();
    line["message"]["model"] = "<synthetic>".into();
    line
}

/// The conversation asked for is not remembered: said before anything else, and the process ends.
pub(super) fn unknown_conversation(id: &str) -> Value {
    json!({ "type": "result", "subtype": "error_during_execution", "is_error": true, "duration_ms": 0, "duration_api_ms": 0,
            "num_turns": 0, "stop_reason": null, "total_cost_usd": 0, "usage": {}, "modelUsage": {}, "permission_denials": [],
            "errors": [format!("No conversation found with session ID: {id}")] })
}

pub(super) fn new_id(prefix: &str) -> String {
    format!("{prefix}_{}", Uuid::now_v7().simple())
}

fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}
