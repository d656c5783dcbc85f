//! `system` lines that a person should know of, in a sentence each. Most are of no interest and say nothing.

use super::protocol::System;
use crate::agent::AgentEvent;

pub(super) fn of(system: &System) -> Option<AgentEvent> {
    match system.subtype.as_str() {
        "api_retry" => Some(retrying(system)),
        "compact_boundary" => Some(compacted(system)),
        "status" => compacting_failed(system),
        "task_notification" => background_work_ended(system),
        "permission_denied" => {
            let tool = system.tool_name.as_deref().unwrap_or("a tool");
            Some(notice(
                "denied_by_agent",
                format!("The agent refused {tool} by a rule of its own; nobody was asked."),
                None,
            ))
        }
        _ => None,
    }
}

pub(super) fn unreadable(line: &str, characters_max: usize, last: bool) -> AgentEvent {
    let mut shown: String = line.chars().take(characters_max).collect();
    if shown.len() < line.len() {
        shown.push_str(&format!("… ({} bytes in all)", line.len()));
    }
    let hint = last.then(|| "further lines of this kind are not shown".to_owned());
    notice(
        "unreadable_line",
        format!("The agent wrote a line that is no message: {shown}"),
        hint,
    )
}

pub(super) fn handshake_failed(said: &str) -> AgentEvent {
    notice(
        "handshake_failed",
        format!("The agent did not take the handshake: {said}"),
        None,
    )
}

pub(super) fn refused_request(what: &str) -> AgentEvent {
    let message =
        format!("The agent asked for `{what}`, which Flotilla does not offer; it was told so.");
    notice("request_refused", message, None)
}

pub(super) fn endpoint_failed(said: String) -> AgentEvent {
    notice(
        "endpoint_failed",
        said,
        Some("the agent went on by itself".to_owned()),
    )
}

fn retrying(system: &System) -> AgentEvent {
    // Whole milliseconds are enough, and `as` saturates: a negative or endless delay is no delay.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturating is what is wanted"
    )]
    let delay_ms = system.retry_delay_ms.round() as u64;
    AgentEvent::Retrying {
        attempt: system.attempt,
        attempts_max: system.max_retries,
        delay_ms,
        status: system.error_status,
        error: system.error.clone().unwrap_or_else(|| "unknown".to_owned()),
    }
}

fn compacted(system: &System) -> AgentEvent {
    let (before, after) = (
        system.compact_metadata.pre_tokens,
        system.compact_metadata.post_tokens,
    );
    let message = format!(
        "The conversation was put into fewer words: {before} tokens before, {after} after."
    );
    notice("compacted", message, None)
}

fn compacting_failed(system: &System) -> Option<AgentEvent> {
    let failed = system.compact_result.as_deref()? != "success";
    let why = system
        .compact_error
        .as_deref()
        .unwrap_or("the agent did not say why");
    failed.then(|| {
        notice(
            "compacting_failed",
            format!("The conversation could not be put into fewer words: {why}"),
            None,
        )
    })
}

/// Why the agent begins to work by itself next. A subagent's report is its own last message and needs no repeating.
fn background_work_ended(system: &System) -> Option<AgentEvent> {
    let status = system.status.as_deref().unwrap_or("ended");
    if system.summary_is_report && status == "completed" {
        return None;
    }
    let message = match system.summary.as_deref().map(str::trim) {
        Some(summary) if !summary.is_empty() => summary.to_owned(),
        _ => format!("Work in the background {status}."),
    };
    Some(notice("background_work_ended", message, None))
}

fn notice(code: &str, message: String, hint: Option<String>) -> AgentEvent {
    AgentEvent::Notice {
        code: code.to_owned(),
        message,
        hint,
    }
}
