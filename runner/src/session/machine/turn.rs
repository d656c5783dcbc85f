//! Turns: one at a time, each begun by the oldest waiting message or by the agent itself.

use nats::event::{MessageDelivered, TurnFinished, TurnOutcome, TurnStarted};
use nats::ids::{CommandId, TurnId};

use super::effect::{Effect, Outgoing, Step};
use super::state::{AgentState, Machine, Turn};
use crate::agent::AgentEvent;

impl Machine {
    /// Gives the agent the oldest waiting message, when it has nothing to do.
    pub(super) fn next_turn(&mut self, step: &mut Step) {
        if self.agent != AgentState::Ready || self.turn.is_some() || !self.handed.is_empty() {
            return;
        }
        // What waits would only be refused again while a limit stands.
        if self.disk_low || self.limit.is_some() {
            return;
        }
        let Some(message) = self.queue.pop_front() else {
            return;
        };
        self.start_turn(Some(message.command), step);
        self.handed.push(message.command);
        let outgoing = Outgoing::Message {
            command: message.command,
            text: message.text,
            attachments: message.attachments,
        };
        self.send(outgoing, step);
    }

    /// Turns wait while the disk is nearly full: what is under way needs the rest of it.
    pub(super) fn disk(&mut self, low: bool, step: &mut Step) {
        if self.disk_low == low || self.ended {
            return;
        }
        self.disk_low = low;
        if low {
            step.event(nats::event::Warning {
                code: "disk_low".to_owned(),
                message: "the disk of this host is nearly full; no new turn begins until there is room".to_owned(),
                hint: Some("free some space on the host; nothing is lost, and what waits goes on by itself".to_owned()),
            });
        } else {
            self.next_turn(step);
        }
    }

    pub(super) fn message_taken(&mut self, command: CommandId, step: &mut Step) {
        let Some(at) = self.handed.iter().position(|handed| *handed == command) else {
            return;
        };
        self.handed.remove(at);
        self.restarts = 0;
        // Whatever the shim has said of it so far: the agent has it.
        self.outgoing.retain(|it| it.id() != command.to_string());
        let turn = match &self.turn {
            Some(turn) => turn.id,
            // The agent had a turn of its own in between, which ended ours early.
            None => self.start_turn(Some(command), step),
        };
        step.event(MessageDelivered { command, turn });
    }

    /// A sign of work. Without a turn the agent has begun one by itself.
    pub(super) fn turn_began(&mut self, step: &mut Step) {
        if self.turn.is_none() {
            self.start_turn(None, step);
        }
    }

    pub(super) fn turn_finished(&mut self, event: AgentEvent, step: &mut Step) {
        let AgentEvent::TurnFinished {
            outcome,
            error,
            duration_ms,
            tokens,
            cost_usd_of_process,
            context_tokens,
            context_tokens_max,
        } = event
        else {
            return;
        };
        // The agent counts for its whole process; a turn's own share is the difference.
        let cost_usd = (cost_usd_of_process - self.cost_of_process_usd).max(0.0);
        self.cost_of_process_usd = cost_usd_of_process;
        let turn = match self.turn.take() {
            Some(turn) => turn.id,
            None => return,
        };
        if outcome == TurnOutcome::Completed {
            self.got_on();
        }
        step.event(TurnFinished {
            turn,
            can_continue: self.limit.is_some(),
            outcome,
            error,
            duration_ms,
            tokens,
            cost_usd,
            context_tokens,
            context_tokens_max,
        });
        self.interrupting = None;
        step.effect(Effect::LookAtFiles { tool_use: None });
        // A message handed over and never taken up would hold the queue for ever.
        self.handed.retain(|command| {
            self.outgoing
                .iter()
                .any(|outgoing| outgoing.id() == command.to_string())
        });
        self.next_turn(step);
    }

    fn start_turn(&mut self, command: Option<CommandId>, step: &mut Step) -> TurnId {
        let id = TurnId::new();
        self.limit = None;
        self.turn = Some(Turn { id, command });
        step.event(TurnStarted { turn: id, command });
        id
    }
}
