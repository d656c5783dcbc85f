//! What a session's events add up to, as a pure fold: the same events give the same facts.

use nats::event::{Event, State, Tokens};
use nats::{Envelope, Timestamp};
use serde::{Deserialize, Serialize};

/// The sum of a session's events so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// None before the first event that says so.
    pub state: Option<State>,
    pub reason: Option<String>,
    pub title: Option<String>,
    pub branch: Option<String>,
    pub base: Option<String>,
    pub worktree: Option<String>,
    pub isolated: Option<bool>,
    pub model: Option<String>,
    pub added: u32,
    pub removed: u32,
    pub turns: u32,
    pub tokens: Tokens,
    pub cost_usd: f64,
    pub context_tokens: Option<u64>,
    pub context_tokens_max: Option<u64>,
    /// Why the message "continue" would go on from where it broke off.
    #[serde(default)]
    pub continue_reason: Option<String>,
    #[serde(default)]
    pub limit: Option<Limit>,
    pub last_seq: u64,
    pub updated_at: Option<Timestamp>,
}

/// A usage limit that stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Limit {
    pub message: String,
    pub resets_at: Option<Timestamp>,
    pub resumes: bool,
}

impl Facts {
    pub(crate) fn ended(&self) -> bool {
        self.state == Some(State::Ended)
    }

    /// Counts an event, whether or not this build knows what it says.
    pub(super) fn count(&mut self, seq: u64, at: Timestamp) {
        self.last_seq = seq;
        self.updated_at = Some(at);
    }

    /// Folds in one event that came after all before.
    pub(super) fn fold(&mut self, envelope: &Envelope) {
        let Some(event) = envelope.event() else {
            return;
        };
        match event {
            Event::SessionOpened(opened) => {
                self.title = Some(opened.title.clone());
                self.branch = Some(opened.branch.clone());
                self.base = Some(opened.base.clone());
                self.worktree = Some(opened.worktree.clone());
                self.isolated = Some(opened.isolated);
                self.stand(State::Starting, None);
            }
            Event::SessionState(state) => self.stand(state.state, state.reason.clone()),
            Event::SessionEnded(ended) => self.stand(State::Ended, Some(ended.reason.clone())),
            Event::AgentReady(ready) => {
                if ready.model.is_some() {
                    self.model.clone_from(&ready.model);
                }
            }
            Event::TurnFinished(turn) => {
                self.turns = self.turns.saturating_add(1);
                if turn.can_continue {
                    self.continue_reason = Some(turn.error.clone().unwrap_or_default());
                }
                // A number that is none would make the whole row unreadable.
                self.cost_usd = (self.cost_usd + turn.cost_usd).clamp(0.0, f64::MAX);
                self.tokens = sum(self.tokens, turn.tokens);
                self.context_tokens = turn.context_tokens.or(self.context_tokens);
                self.context_tokens_max = turn.context_tokens_max.or(self.context_tokens_max);
            }
            Event::GateWithdrawn(gate) => {
                if gate.can_continue {
                    self.continue_reason.get_or_insert(gate.reason.clone());
                }
            }
            Event::FileChanged(file) => {
                self.added = self.added.saturating_add(file.added);
                self.removed = self.removed.saturating_add(file.removed);
            }
            Event::TurnStarted(_) => {
                self.continue_reason = None;
                self.limit = None;
            }
            Event::MessageUser(_) => self.continue_reason = None,
            Event::LimitReached(limit) => {
                self.limit = Some(Limit {
                    message: limit.message.clone(),
                    resets_at: limit.resets_at,
                    resumes: limit.resumes,
                });
            }
            Event::LimitChanged(change) => {
                if let Some(limit) = &mut self.limit {
                    limit.resumes = change.resumes;
                }
            }
            Event::AgentExited(_)
            | Event::AgentRetrying(_)
            | Event::MessageDelivered(_)
            | Event::MessageAssistant(_)
            | Event::ToolRequested(_)
            | Event::ToolReleased(_)
            | Event::ToolFinished(_)
            | Event::GateOpened(_)
            | Event::GateDecided(_)
            | Event::GateReminded(_)
            | Event::Warning(_) => {}
        }
    }

    /// An end is final.
    fn stand(&mut self, state: State, reason: Option<String>) {
        if !self.ended() {
            self.state = Some(state);
            self.reason = reason;
            if state == State::Ended {
                self.continue_reason = None;
                self.limit = None;
            }
        }
    }
}

fn sum(one: Tokens, other: Tokens) -> Tokens {
    Tokens {
        input: one.input.saturating_add(other.input),
        output: one.output.saturating_add(other.output),
        cache_read: one.cache_read.saturating_add(other.cache_read),
        cache_write: one.cache_write.saturating_add(other.cache_write),
    }
}
