//! What the machine must hold, as stories and as laws under any order of inputs.

use nats::command::{Command, GateDecide, MessageSend, Order, SessionStart};
use nats::event::{Decision, GateKind, Tokens, ToolOutcome, TurnOutcome, Verdict};
use nats::ids::{CommandId, GateId, SessionId, UserId};
use nats::{Event, Timestamp, Wire};
use serde_json::json;

use super::*;
use crate::agent::{AgentEvent, Ask};

mod laws;
mod patience;
mod slots;
mod stories;
mod with_relay;

/// A machine with everything it has said so far.
struct Session {
    machine: Machine,
    events: Vec<Event>,
    effects: Vec<Effect>,
}

impl Session {
    fn opened(prompt: Option<&str>) -> Self {
        let start = SessionStart {
            project: "shop".into(),
            agent: "rehearsal".into(),
            title: "t".into(),
            base: None,
            prompt: prompt.map(|text| MessageSend {
                text: text.into(),
                ..MessageSend::default()
            }),
            prompt_id: prompt.map(|_| CommandId::new()),
        };
        let mut session = Self {
            machine: Machine::new(start, None, false),
            events: vec![],
            effects: vec![],
        };
        session.tell(Input::Opened(Opened {
            branch: "flotilla/x".into(),
            base: "c0ffee".into(),
            worktree: "/w".into(),
            uncommitted: 0,
        }));
        session
    }

    fn ready(prompt: Option<&str>) -> Self {
        let mut session = Self::opened(prompt);
        session.tell(Input::AgentStarted { generation: 1 });
        session.says(AgentEvent::Ready {
            version: None,
            model: None,
        });
        session
    }

    fn tell(&mut self, input: Input) {
        let step = self.machine.step(input);
        self.events.extend(step.events);
        self.effects.extend(step.effects);
        assert_eq!(
            self.machine.seq(),
            self.events.len() as u64,
            "every event has a number"
        );
    }

    fn says(&mut self, event: AgentEvent) {
        self.tell(Input::Agent(event));
    }

    /// The agent takes up whatever it was handed last.
    fn takes_up(&mut self) {
        let handed = self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Send(Outgoing::Message { command, .. }) => Some(*command),
            _ => None,
        });
        let command = handed.unwrap();
        self.says(AgentEvent::MessageTaken { command });
    }

    fn dies(&mut self) {
        let generation = self.machine.generation();
        self.tell(Input::AgentExited(AgentEnd {
            generation,
            code: None,
            signal: Some(9),
            cause: None,
            stderr_tail: String::new(),
            half_line_bytes: 0,
        }));
    }

    fn order(&mut self, command: impl Into<Command>) -> CommandId {
        let order = order(command);
        let id = order.id;
        self.tell(Input::Order(Box::new(order)));
        id
    }

    fn send(&mut self, text: &str) -> CommandId {
        self.order(MessageSend {
            text: text.into(),
            ..MessageSend::default()
        })
    }

    fn asks(&mut self, tool_use: &str) -> GateId {
        let request = format!("request-{tool_use}");
        self.says(AgentEvent::Asked(ask(&request, tool_use)));
        self.gate_of(tool_use)
    }

    fn gate_of(&self, tool_use: &str) -> GateId {
        let opened = self.events.iter().rev().find_map(|event| match event {
            Event::GateOpened(opened) if opened.tool_use == tool_use => Some(opened.gate),
            _ => None,
        });
        opened.unwrap()
    }

    fn decide(&mut self, gate: GateId, verdict: Verdict) {
        let hash = self.events.iter().find_map(|event| match event {
            Event::GateOpened(opened) if opened.gate == gate => Some(opened.input_hash.clone()),
            _ => None,
        });
        let decision = decision(verdict, hash.unwrap_or_default());
        self.order(GateDecide { gate, decision });
    }

    fn acknowledge_all(&mut self) {
        let seq = self.machine.seq();
        self.tell(Input::Acknowledged { seq });
    }

    fn count(&self, tag: &str) -> usize {
        self.events
            .iter()
            .filter(|event| nats::wire::Tagged::tag(*event) == tag)
            .count()
    }

    fn outcome_of(&self, tool_use: &str) -> Option<ToolOutcome> {
        self.events.iter().rev().find_map(|event| match event {
            Event::ToolFinished(it) if it.tool_use == tool_use => Some(it.outcome),
            _ => None,
        })
    }

    fn answers(&self) -> usize {
        let sent = |effect: &&Effect| matches!(effect, Effect::Send(Outgoing::Answer { .. }));
        self.effects.iter().filter(sent).count()
    }
}

fn order(command: impl Into<Command>) -> Order {
    Order {
        v: 1,
        id: CommandId::new(),
        session: SessionId::new(),
        host: "vps-1".parse().unwrap(),
        epoch: 1,
        at: Timestamp::now(),
        by: None,
        body: Wire::Known(command.into()),
    }
}

fn ask(request: &str, tool_use: &str) -> Ask {
    Ask {
        request: request.to_owned(),
        tool_use: tool_use.to_owned(),
        kind: GateKind::Tool,
        tool: "Bash".into(),
        input: json!({"command": tool_use}),
        summary: "Run it".into(),
        risks: vec![],
        parent: None,
        questions: vec![],
        plan: None,
    }
}

fn decision(verdict: Verdict, input_hash: String) -> Decision {
    Decision {
        verdict,
        reason: None,
        input: None,
        answers: None,
        input_hash,
        by: UserId::new(),
        by_name: "Ada".into(),
        at: Timestamp::now(),
    }
}

fn finished(outcome: TurnOutcome, cost: f64) -> AgentEvent {
    AgentEvent::TurnFinished {
        outcome,
        error: None,
        duration_ms: 5,
        tokens: Tokens::default(),
        cost_usd_of_process: cost,
        context_tokens: None,
        context_tokens_max: None,
    }
}
