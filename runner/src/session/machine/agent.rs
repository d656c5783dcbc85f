//! The agent's process: started, greeted, heard, gone.

use std::collections::BTreeSet;

use nats::event::{
    AgentExited, AgentReady, AgentRetrying, ToolFinished, ToolOutcome, TurnFinished, TurnOutcome,
};

use super::effect::{Effect, Outgoing, Step};
use super::input::AgentEnd;
use super::state::{AgentState, Machine, Message, Stage};

/// An agent that ends this often before it takes a message up will not take it up.
const RESTARTS_MAX: u32 = 2;
use crate::agent::AgentEvent;

impl Machine {
    pub(super) fn start_agent(&mut self, step: &mut Step) {
        self.generation += 1;
        self.agent = AgentState::Starting;
        self.waits_for_slot = false;
        self.asleep_reason = None;
        self.cost_of_process_usd = 0.0;
        self.works_in_background = false;
        step.effect(Effect::StartAgent {
            generation: self.generation,
        });
    }

    pub(super) fn agent_started(&mut self, generation: u32, step: &mut Step) {
        if generation == self.generation && self.agent == AgentState::Starting {
            self.agent = AgentState::Greeted;
            self.waits_for_slot = false;
            self.send(Outgoing::Handshake { generation }, step);
            if self.asking_again.is_some() {
                step.effect(Effect::ExpectAsk { generation });
            }
        }
    }

    pub(super) fn agent_not_started(&mut self, generation: u32, reason: &str, step: &mut Step) {
        let end = AgentEnd {
            generation,
            code: None,
            signal: None,
            cause: Some(format!("the agent could not be started: {reason}")),
            stderr_tail: String::new(),
            half_line_bytes: 0,
        };
        self.agent_exited(&end, step);
    }

    pub(super) fn agent_said(&mut self, event: AgentEvent, step: &mut Step) {
        // Words of an agent that was ended or put to sleep are nobody's any more.
        if self.ended || self.agent == AgentState::Gone {
            return;
        }
        match event {
            AgentEvent::Ready { version, model } => self.agent_ready(version, model, step),
            AgentEvent::MessageTaken { command } => self.message_taken(command, step),
            AgentEvent::TurnBegan => self.turn_began(step),
            AgentEvent::Delta {
                message,
                block,
                kind,
                text,
            } => {
                let turn = self.turn.as_ref().map(|turn| turn.id);
                step.effect(Effect::Live {
                    turn,
                    message,
                    block,
                    kind,
                    text,
                });
            }
            AgentEvent::Block {
                message,
                block,
                text,
                ..
            } if text.is_empty() => {
                // Given up half-way: its live text is void, and there is nothing to keep.
                step.effect(Effect::BlockDone { message, block });
            }
            AgentEvent::Block {
                message,
                block,
                kind,
                text,
                parent,
            } => {
                // Work in the background speaks between turns without beginning one.
                if parent.is_none() {
                    self.turn_began(step);
                }
                let turn = self.turn.as_ref().map(|turn| turn.id);
                step.effect(Effect::BlockDone {
                    message: message.clone(),
                    block,
                });
                step.event(nats::event::MessageAssistant {
                    turn,
                    message,
                    block,
                    kind,
                    text,
                    parent,
                });
            }
            AgentEvent::ToolRequested {
                tool_use,
                tool,
                input,
                parent,
            } => {
                self.tool_requested(tool_use, tool, input, parent, step);
            }
            AgentEvent::Asked(ask) => self.asked(ask, step),
            AgentEvent::AskWithdrawn { request } => self.ask_withdrawn(&request, step),
            AgentEvent::ToolFinished {
                tool_use,
                outcome,
                output,
                files,
            } => {
                self.tool_finished(tool_use, outcome, output, files, step);
            }
            AgentEvent::WorksInBackground(works) => self.works_in_background = works,
            AgentEvent::Retrying {
                attempt,
                attempts_max,
                delay_ms,
                status,
                error,
            } => {
                step.event(AgentRetrying {
                    attempt,
                    attempts_max,
                    delay_ms,
                    status,
                    error,
                });
            }
            AgentEvent::TurnFinished { .. } => self.turn_finished(event, step),
            // The shell adds the time and tells it as an input of its own.
            AgentEvent::LimitReached { .. } => {}
            AgentEvent::Notice {
                code,
                message,
                hint,
            } => {
                step.event(nats::event::Warning {
                    code,
                    message,
                    hint,
                });
            }
            AgentEvent::Reply(input) => self.send(
                Outgoing::Reply {
                    id: input.id,
                    bytes: input.bytes,
                },
                step,
            ),
        }
    }

    pub(super) fn agent_exited(&mut self, end: &AgentEnd, step: &mut Step) {
        if end.generation != self.generation || self.agent == AgentState::Gone {
            return;
        }
        let reason = describe(end);
        if self.ask_again_after(end, &reason, step) {
            return;
        }
        let was_ready = self.agent == AgentState::Ready;
        self.abandon(&reason, true, step);
        self.agent = AgentState::Gone;
        self.waits_for_slot = false;
        self.asleep_reason = Some(reason.clone());
        self.queue_unwritten(end);
        step.event(AgentExited {
            generation: end.generation,
            code: end.code,
            signal: end.signal,
            expected: false,
            reason,
            stderr_tail: end.stderr_tail.clone(),
        });
        step.effect(Effect::EndAgent {
            generation: end.generation,
        });
        if was_ready && !self.queue.is_empty() && self.restarts < RESTARTS_MAX {
            // Somebody waits for an answer and the conversation can go on: no person is needed for that.
            self.restarts += 1;
            self.start_agent(step);
        }
    }

    /// Messages that the agent never had go back to where they waited. The shim tells of what it wrote before it tells
    /// of the end, so what is still unconfirmed was not written; when the shim is gone as well nobody knows, and a
    /// person who says it again is better than a prompt that is heard twice.
    fn queue_unwritten(&mut self, end: &AgentEnd) {
        let unconfirmed = std::mem::take(&mut self.outgoing);
        if end.cause.is_some() {
            return;
        }
        for outgoing in unconfirmed.into_iter().rev() {
            if let Outgoing::Message {
                command,
                text,
                attachments,
            } = outgoing
            {
                self.queue.push_front(Message {
                    command,
                    text,
                    attachments,
                });
            }
        }
    }

    /// Closes what the agent leaves open when it goes: gates are withdrawn, released tools may have run, the turn
    /// has failed. Nothing here is a denial but what a person denied.
    pub(super) fn abandon(&mut self, reason: &str, can_continue: bool, step: &mut Step) {
        let mut denied = BTreeSet::new();
        for (gate, it) in std::mem::take(&mut self.gates) {
            match it.stage {
                Stage::Open | Stage::Decided { .. } => step.event(nats::event::GateWithdrawn {
                    gate,
                    reason: reason.to_owned(),
                    can_continue,
                }),
                Stage::Released { allowed: true } => {
                    if let Some(call) = self.tools.get_mut(&it.opened.tool_use) {
                        call.gate = Some(gate);
                    }
                }
                Stage::Released { allowed: false } => {
                    denied.insert(it.opened.tool_use);
                }
            }
        }
        for (tool_use, call) in std::mem::take(&mut self.tools) {
            // With its gate released it may have run; without, or with a no, it cannot have.
            let outcome = if denied.contains(&tool_use) {
                ToolOutcome::Denied
            } else if call.gate.is_some() {
                self.perhaps_run.insert(tool_use.clone());
                ToolOutcome::Unknown
            } else {
                ToolOutcome::Interrupted
            };
            step.event(ToolFinished {
                tool_use,
                outcome,
                output: String::new(),
                output_bytes: 0,
            });
        }
        if let Some(turn) = self.turn.take() {
            step.event(TurnFinished {
                turn: turn.id,
                outcome: TurnOutcome::Failed,
                error: Some(reason.to_owned()),
                duration_ms: 0,
                tokens: nats::event::Tokens::default(),
                cost_usd: 0.0,
                context_tokens: None,
                context_tokens_max: None,
                can_continue,
            });
        }
        self.handed.clear();
        self.asking_again = None;
        self.interrupting = None;
    }

    fn agent_ready(&mut self, version: Option<String>, model: Option<String>, step: &mut Step) {
        self.agent = AgentState::Ready;
        step.event(AgentReady {
            agent: self.start.agent.clone(),
            version,
            model,
            generation: self.generation,
        });
        self.next_turn(step);
    }
}

/// What happened, in a sentence.
fn describe(end: &AgentEnd) -> String {
    let ended = match (&end.cause, end.code, end.signal) {
        (Some(cause), _, _) => cause.clone(),
        (None, _, Some(signal)) => format!("the agent was ended by signal {signal}"),
        (None, Some(0), None) => "the agent ended by itself".to_owned(),
        (None, Some(code), None) => format!("the agent ended with exit code {code}"),
        (None, None, None) => "the agent is gone".to_owned(),
    };
    match end.half_line_bytes {
        0 => ended,
        bytes => {
            format!("{ended}, in the middle of a line ({bytes} bytes of it were not a message yet)")
        }
    }
}
