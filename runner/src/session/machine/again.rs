//! A call whose agent is gone: asked again by the next one where that is possible, and withdrawn where it is not.
//!
//! An agent that goes on from its transcript can be made to ask for one open call exactly as before, with the same
//! id. Then the gate stays what it is, with whatever was decided of it. Nothing here is ever a denial.

use nats::event::{
    AgentExited, GateWithdrawn, State, Tokens, ToolFinished, ToolOutcome, TurnFinished, TurnOutcome,
};
use nats::ids::GateId;
use serde_json::Value;

use super::effect::{Effect, Outgoing, Step};
use super::input::AgentEnd;
use super::state::{AgentState, AskingAgain, Machine, Stage};

/// An agent that dies this often before it asks for a call again will not be helped by another start.
const ATTEMPTS_MAX: u32 = 2;
/// Nor will one that asks each time and dies this often all the same, without living for long in between.
const DEATHS_MAX: u32 = 6;

impl Machine {
    /// The call that the next agent must ask for again: its id, its tool and its input.
    #[must_use]
    pub fn unanswered(&self) -> Option<(&str, &str, &Value)> {
        let gate = self.gates.get(&self.asking_again.as_ref()?.gate)?;
        let opened = &gate.opened;
        Some((&opened.tool_use, &opened.tool, &opened.input))
    }

    /// Starts the next agent at once when exactly one call was open: only then can it be asked again as it was.
    pub(super) fn ask_again_after(
        &mut self,
        end: &AgentEnd,
        reason: &str,
        step: &mut Step,
    ) -> bool {
        let Some(gate) = self.only_open_call() else {
            return false;
        };
        let attempts = self.asking_again.take().map_or(0, |it| it.attempts) + 1;
        let deaths = self.gates.get_mut(&gate).map_or(0, |gate| {
            gate.deaths += 1;
            gate.deaths
        });
        if attempts > ATTEMPTS_MAX || deaths > DEATHS_MAX || self.agent == AgentState::Starting {
            return false;
        }
        step.event(AgentExited {
            generation: end.generation,
            code: end.code,
            signal: end.signal,
            expected: false,
            reason: reason.to_owned(),
            stderr_tail: end.stderr_tail.clone(),
        });
        step.effect(Effect::EndAgent {
            generation: end.generation,
        });
        self.outgoing.clear();
        self.handed.clear();
        if let Some(gate) = self.gates.get_mut(&gate) {
            gate.request = None;
        }
        self.asking_again = Some(AskingAgain { gate, attempts });
        self.start_agent(step);
        true
    }

    /// An answer that never reached its agent was not given: nothing has run, and the decision waits for the next one.
    pub(super) fn not_written(&mut self, id: &str) {
        let found = self.outgoing.iter().position(|it| it.id() == id);
        let Some(Outgoing::Answer { gate, decision, .. }) = found.map(|at| &self.outgoing[at])
        else {
            return;
        };
        let seq = self.acknowledged;
        let decision = Box::new(decision.clone());
        if let Some(gate) = self.gates.get_mut(gate) {
            gate.stage = Stage::Decided { decision, seq };
            gate.request = None;
            if let Some(call) = self.tools.get_mut(&gate.opened.tool_use) {
                call.gate = None;
            }
        }
        self.outgoing.retain(|it| it.id() != id);
    }

    /// The next agent is there and does not ask: what was open is withdrawn, and a person may say how to go on.
    pub(super) fn not_asked_again(&mut self, generation: u32, reason: &str, step: &mut Step) {
        if generation != self.generation {
            return;
        }
        let Some(again) = self.asking_again.take() else {
            return;
        };
        let Some(gate) = self
            .gates
            .get(&again.gate)
            .filter(|gate| gate.request.is_none())
        else {
            return;
        };
        let tool_use = gate.opened.tool_use.clone();
        let why = format!("its agent ended, and the next one cannot ask again: {reason}");
        self.gates.remove(&again.gate);
        step.event(GateWithdrawn {
            gate: again.gate,
            reason: why,
            can_continue: true,
        });
        let interrupted = self.interrupting.take().is_some();
        self.tools.remove(&tool_use);
        step.event(ToolFinished {
            tool_use,
            outcome: ToolOutcome::Interrupted,
            output: String::new(),
            output_bytes: 0,
        });
        if let Some(turn) = self.turn.take() {
            step.event(TurnFinished {
                turn: turn.id,
                outcome: if interrupted {
                    TurnOutcome::Interrupted
                } else {
                    TurnOutcome::Failed
                },
                error: Some(
                    "the agent ended in the middle of this turn; send \"continue\" to go on"
                        .to_owned(),
                ),
                duration_ms: 0,
                tokens: Tokens::default(),
                cost_usd: 0.0,
                context_tokens: None,
                context_tokens_max: None,
                can_continue: !interrupted,
            });
        }
        self.next_turn(step);
    }

    /// The call at which a session that waits may sleep, if the next agent can be made to ask for it again: its id,
    /// its tool and its input. One call alone, of the agent itself, and nothing on its way to or from it.
    #[must_use]
    pub fn may_sleep_at(&self) -> Option<(&str, &str, &Value)> {
        let gate = self.gates.get(&self.only_open_call()?)?;
        let at_rest = self.agent == AgentState::Ready
            && self.gates.len() == 1
            && matches!(gate.stage, Stage::Open)
            && gate.request.is_some()
            && gate.opened.parent.is_none()
            && self.turn.is_some()
            && !self.works_in_background
            && self.asking_again.is_none()
            && self.handed.is_empty()
            && self.outgoing.is_empty();
        let opened = &gate.opened;
        at_rest.then_some((&opened.tool_use, &opened.tool, &opened.input))
    }

    /// Whether the agent has nothing to do. Work in the background is something: it would end with the process.
    #[must_use]
    pub fn rests(&self) -> bool {
        self.state() == State::Idle && !self.works_in_background
    }

    /// The gate at which the agent was stopped.
    pub(super) fn sleeps_at(&self) -> Option<GateId> {
        let mut unasked = self.gates.iter().filter(|(_, gate)| {
            gate.request.is_none() && !matches!(gate.stage, Stage::Released { .. })
        });
        let (id, _) = unasked.next()?;
        (self.agent == AgentState::Gone && !self.ended).then_some(*id)
    }

    /// The agent has lived for long: what it lives with does not kill it.
    pub(super) fn agent_lives(&mut self, generation: u32) {
        if generation == self.generation {
            for gate in self.gates.values_mut() {
                gate.deaths = 0;
            }
        }
    }

    /// Whether the agent runs and could be stopped this moment without anything lost.
    #[must_use]
    pub fn has_nothing_to_do(&self) -> bool {
        let may_wait_for_messages = self.queue.is_empty() || self.limit.is_some();
        self.agent == AgentState::Ready
            && self.turn.is_none()
            && !self.works_in_background
            && self.gates.is_empty()
            && self.tools.is_empty()
            && may_wait_for_messages
            && self.handed.is_empty()
            && self.outgoing.is_empty()
    }

    /// Stops an agent that has nothing to do, or whose one open call the next one can ask for again.
    pub(super) fn sleep(&mut self, what_for: &str, step: &mut Step) {
        if !self.has_nothing_to_do() && self.may_sleep_at().is_none() {
            return;
        }
        for gate in self.gates.values_mut() {
            gate.request = None;
        }
        self.agent = AgentState::Gone;
        self.asleep_reason = Some(format!(
            "the agent was stopped {what_for}; the next message wakes it"
        ));
        step.effect(Effect::EndAgent {
            generation: self.generation,
        });
    }

    /// The one gate that was not released, when nothing else was under way.
    fn only_open_call(&self) -> Option<GateId> {
        let mut unreleased = self
            .gates
            .iter()
            .filter(|(_, gate)| !matches!(gate.stage, Stage::Released { .. }));
        let (id, gate) = unreleased.next()?;
        let alone = unreleased.next().is_none()
            && self
                .tools
                .keys()
                .all(|tool_use| *tool_use == gate.opened.tool_use);
        alone.then_some(*id)
    }
}
