//! How a turn ended and what it took.
//!
//! `subtype: success` may be a failure and may be half an answer; an interruption comes as an error. Owns the
//! reckoning of tokens between results, and the agent's own words on a failed endpoint until it is plain whether
//! the turn failed with it. Knows no prices: cost is passed on as the process counts it.

use nats::event::{Tokens, TurnOutcome};
use serde::{Deserialize, Serialize};

use super::protocol::{Block, Content, Message, TurnResult, Usage};
use super::translate::Adapter;
use super::{limit, notices};
use crate::agent::AgentEvent;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Reckoning {
    /// Tokens in the model's context, of the agent itself and not of its subagents.
    context_tokens: Option<u64>,
    /// Those of the message in the making that were there before it.
    context_tokens_before: u64,
    /// What the agent said of its endpoint, shown once: as the turn's error, or as a notice when it goes on.
    endpoint_error: Option<String>,
}

impl Reckoning {
    /// The model takes up a request: everything it was given counts.
    pub fn asked_model(&mut self, message: &Message) {
        let usage = message.usage;
        self.context_tokens_before = usage
            .input_tokens
            .saturating_add(usage.cache_read_input_tokens)
            .saturating_add(usage.cache_creation_input_tokens);
        self.model_said(&usage);
    }

    /// The model has said so much by now.
    pub fn model_said(&mut self, usage: &Usage) {
        self.context_tokens = Some(
            self.context_tokens_before
                .saturating_add(usage.output_tokens),
        );
    }

    pub fn compacted(&mut self, context_tokens: u64) {
        self.context_tokens = Some(context_tokens);
    }

    pub fn endpoint_failed(&mut self, content: Content) {
        let texts: Vec<String> = content
            .blocks()
            .into_iter()
            .filter_map(|block| match block {
                Block::Text { text } => Some(text),
                Block::Thinking { .. }
                | Block::ToolUse { .. }
                | Block::ToolResult { .. }
                | Block::Image
                | Block::Other => None,
            })
            .collect();
        self.endpoint_error = Some(texts.join("\n"));
    }

    /// The agent works on after its endpoint failed: no turn's error any more, but worth knowing.
    pub fn went_on(&mut self, events: &mut Vec<AgentEvent>) {
        events.extend(self.endpoint_error.take().map(notices::endpoint_failed));
    }
}

impl Adapter {
    pub(super) fn turn_finished(&mut self, result: TurnResult, events: &mut Vec<AgentEvent>) {
        // A process that cannot even begin (a conversation it does not find) has only this line to say so.
        self.turn_begins(events);
        self.blocks.turn_ends(events);
        let outcome = outcome(&result);
        let error = match outcome {
            TurnOutcome::Failed => Some(error(&result, self.reckoning.endpoint_error.take())),
            TurnOutcome::Completed
            | TurnOutcome::Interrupted
            | TurnOutcome::Cut
            | TurnOutcome::Other => {
                self.reckoning.went_on(events);
                None
            }
        };
        events.extend(self.limits.of(&result, error.as_deref()));
        let error = error.map(|said| limit::without_number(&said).to_owned());
        events.push(AgentEvent::TurnFinished {
            outcome,
            error,
            duration_ms: result.duration_ms,
            tokens: tokens(&result.usage),
            cost_usd_of_process: result.total_cost_usd,
            context_tokens: self.reckoning.context_tokens,
            context_tokens_max: context_tokens_max(&result, self.about.model()),
        });
        self.turn_runs = false;
        self.interrupted = false;
        self.calls.turn_ended();
    }
}

fn outcome(result: &TurnResult) -> TurnOutcome {
    let aborted = result
        .terminal_reason
        .as_deref()
        .is_some_and(|reason| reason.starts_with("aborted"));
    let failed = result.is_error || result.subtype != "success";
    // What a local command answers has no model's reason to stop either, and no model spoke.
    let spoken = result.num_turns > 0;
    match (failed, &result.stop_reason) {
        (true, _) if aborted => TurnOutcome::Interrupted,
        (true, _) => TurnOutcome::Failed,
        (false, None) if spoken => TurnOutcome::Cut,
        (false, _) => TurnOutcome::Completed,
    }
}

/// In the agent's words, as far as it has any.
fn error(result: &TurnResult, endpoint_error: Option<String>) -> String {
    let said = result.result.clone().filter(|said| !said.trim().is_empty());
    let listed = || (!result.errors.is_empty()).then(|| result.errors.join("\n"));
    said.or_else(listed)
        .or(endpoint_error)
        .unwrap_or_else(|| format!("the agent gave up without a word ({})", result.subtype))
}

const fn tokens(usage: &Usage) -> Tokens {
    Tokens {
        input: usage.input_tokens,
        output: usage.output_tokens,
        cache_read: usage.cache_read_input_tokens,
        cache_write: usage.cache_creation_input_tokens,
    }
}

/// Of the model that the agent works with; a side model for titles has another.
fn context_tokens_max(result: &TurnResult, model: Option<&str>) -> Option<u64> {
    let windows = &result.model_usage;
    let own = model
        .and_then(|model| windows.get(model))
        .map(|usage| usage.context_window);
    own.or_else(|| windows.values().map(|usage| usage.context_window).max())
        .filter(|window| *window > 0)
}
