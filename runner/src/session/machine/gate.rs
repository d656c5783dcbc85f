//! Gates: every tool call waits here for a human.
//!
//! Open → decided (in the log) → released (EVENTS has acknowledged the decision; the agent is told) → finished.

use nats::canonical::input_hash;
use nats::command::GateDecide;
use nats::event::{
    GateDecided, GateOpened, GateWithdrawn, ToolFinished, ToolOutcome, ToolReleased, ToolRequested,
    Verdict,
};
use nats::ids::GateId;
use serde_json::Value;

use super::effect::{Effect, Outgoing, Step};
use super::state::{Gate, Machine, Stage};
use crate::agent::{Ask, FilesTouched};

/// Said with a call that is asked again after its agent had been told to run it.
const MAY_HAVE_RUN: &str = "may already have run: its agent ended before it could say";

impl Machine {
    pub(super) fn tool_requested(
        &mut self,
        tool_use: String,
        tool: String,
        input: Value,
        parent: Option<String>,
        step: &mut Step,
    ) {
        if parent.is_none() {
            self.turn_began(step);
        }
        let turn = self.turn.as_ref().map(|turn| turn.id);
        self.tools.entry(tool_use.clone()).or_default();
        step.event(ToolRequested {
            tool_use,
            turn,
            tool,
            input,
            parent,
        });
    }

    pub(super) fn asked(&mut self, ask: Ask, step: &mut Step) {
        if let Some(gate) = self
            .gates
            .values_mut()
            .find(|gate| gate.opened.tool_use == ask.tool_use)
        {
            // The same call asked again, by this agent or by the next: it keeps its gate and whatever was decided.
            gate.request = Some(ask.request);
            self.asking_again = None;
            if let Some(command) = self.interrupting.take() {
                self.send(Outgoing::Interrupt { command }, step);
                return;
            }
            self.release_decided(step);
            return;
        }
        self.tools.entry(ask.tool_use.clone()).or_default();
        let mut risks = ask.risks;
        if self.perhaps_run.contains(&ask.tool_use) {
            risks.insert(0, MAY_HAVE_RUN.to_owned());
        }
        let opened = GateOpened {
            gate: GateId::new(),
            kind: ask.kind,
            tool_use: ask.tool_use,
            tool: ask.tool,
            input_hash: input_hash(&ask.input),
            input: ask.input,
            summary: ask.summary,
            risks,
            turn: self.turn.as_ref().map(|turn| turn.id),
            parent: ask.parent,
            questions: ask.questions,
            plan: ask.plan,
        };
        self.open(Some(ask.request), opened, step);
    }

    pub(super) fn ask_withdrawn(&mut self, request: &str, step: &mut Step) {
        let found = self
            .gates
            .iter()
            .find(|(_, gate)| gate.request.as_deref() == Some(request))
            .map(|(id, _)| *id);
        if let Some(id) = found {
            self.withdraw(id, "the agent no longer asks", step);
        }
    }

    /// Takes a recorded decision. What cannot be applied is answered by an event, so that no decision hangs.
    pub(super) fn decide(&mut self, decide: GateDecide, step: &mut Step) {
        let GateDecide { gate: id, decision } = decide;
        let next = self.seq + step.events.len() as u64 + 1;
        let Some(gate) = self.gates.get_mut(&id) else {
            step.event(GateWithdrawn {
                gate: id,
                reason: "too late: the agent no longer asks".to_owned(),
                can_continue: false,
            });
            return;
        };
        if !matches!(gate.stage, Stage::Open) {
            return;
        }
        if decision.input_hash != gate.opened.input_hash {
            // What was approved is not what would run. Ask again under a new id; nobody has said no.
            let (request, again) = (
                gate.request.clone(),
                GateOpened {
                    gate: GateId::new(),
                    ..gate.opened.clone()
                },
            );
            self.withdraw(
                id,
                "the decision was about another input; the call is asked again",
                step,
            );
            self.open(request, again, step);
            return;
        }
        gate.stage = Stage::Decided {
            decision: Box::new(decision.clone()),
            seq: next,
        };
        step.event(GateDecided { gate: id, decision });
        if self.sleeps_at() == Some(id) {
            self.wake(step);
        }
    }

    /// Tells the agent every decision that EVENTS now holds.
    pub(super) fn release_decided(&mut self, step: &mut Step) {
        let acknowledged = self.acknowledged;
        let mut answers = Vec::new();
        for (id, gate) in &mut self.gates {
            let Stage::Decided { decision, seq } = &gate.stage else {
                continue;
            };
            let Some(request) = gate.request.clone() else {
                continue; // Nobody is there to be told: the next agent asks first.
            };
            if *seq > acknowledged {
                continue;
            }
            let allowed = decision.verdict != Verdict::Deny;
            step.event(ToolReleased {
                tool_use: gate.opened.tool_use.clone(),
                gate: *id,
                allowed,
            });
            answers.push(Outgoing::Answer {
                gate: *id,
                request,
                input: gate.opened.input.clone(),
                decision: (**decision).clone(),
            });
            if let Some(call) = self.tools.get_mut(&gate.opened.tool_use)
                && allowed
            {
                call.gate = Some(*id);
            }
            gate.stage = Stage::Released { allowed };
        }
        for answer in answers {
            self.send(answer, step);
        }
    }

    pub(super) fn tool_finished(
        &mut self,
        tool_use: String,
        outcome: ToolOutcome,
        output: String,
        files: FilesTouched,
        step: &mut Step,
    ) {
        let gate = self
            .gates
            .iter()
            .find(|(_, gate)| gate.opened.tool_use == tool_use)
            .map(|(id, gate)| (*id, gate.stage.clone()));
        let mut outcome = outcome;
        match gate {
            Some((id, Stage::Open | Stage::Decided { .. })) => {
                self.withdraw(id, "the agent went on without an answer", step)
            }
            Some((id, Stage::Released { allowed })) => {
                if !allowed {
                    outcome = ToolOutcome::Denied;
                }
                self.gates.remove(&id);
            }
            None => {}
        }
        self.got_on();
        self.tools.remove(&tool_use);
        self.perhaps_run.remove(&tool_use);
        let output_bytes = output.len() as u64;
        step.event(ToolFinished {
            tool_use: tool_use.clone(),
            outcome,
            output,
            output_bytes,
        });
        if files == FilesTouched::Perhaps {
            step.effect(Effect::LookAtFiles {
                tool_use: Some(tool_use),
            });
        }
    }

    pub(super) fn withdraw(&mut self, id: GateId, reason: &str, step: &mut Step) {
        let Some(gate) = self.gates.remove(&id) else {
            return;
        };
        if !matches!(gate.stage, Stage::Released { .. }) {
            step.event(GateWithdrawn {
                gate: id,
                reason: reason.to_owned(),
                can_continue: false,
            });
        }
    }

    fn open(&mut self, request: Option<String>, opened: GateOpened, step: &mut Step) {
        step.event(opened.clone());
        self.gates.insert(
            opened.gate,
            Gate {
                request,
                opened,
                stage: Stage::Open,
                deaths: 0,
                reminders: 0,
                reminded_after_ms: None,
            },
        );
    }
}
