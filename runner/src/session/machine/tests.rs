//! What the machine must hold, as stories and as laws under any order of inputs.

use std::collections::{BTreeMap, BTreeSet};

use nats::command::{
    Command, GateDecide, MessageSend, Order, SessionStart, SessionStop, TurnInterrupt,
};
use nats::event::{Decision, GateKind, State, Tokens, ToolOutcome, TurnOutcome, Verdict};
use nats::ids::{CommandId, GateId, SessionId, UserId};
use nats::{Event, Timestamp, Wire};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::agent::{AgentEvent, Ask, FilesTouched};

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
        let id = CommandId::new();
        self.tell(Input::Order(Box::new(Order {
            v: 1,
            id,
            session: SessionId::new(),
            host: "vps-1".parse().unwrap(),
            epoch: 1,
            at: Timestamp::now(),
            by: None,
            body: Wire::Known(command.into()),
        })));
        id
    }

    fn send(&mut self, text: &str) -> CommandId {
        self.order(MessageSend {
            text: text.into(),
            ..MessageSend::default()
        })
    }

    fn asks(&mut self, tool_use: &str) -> GateId {
        self.says(AgentEvent::Asked(Ask {
            request: format!("request-{tool_use}"),
            tool_use: tool_use.into(),
            kind: GateKind::Tool,
            tool: "Bash".into(),
            input: json!({"command": tool_use}),
            summary: "Run it".into(),
            risks: vec![],
            parent: None,
            questions: vec![],
            plan: None,
        }));
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

#[test]
fn a_first_prompt_becomes_a_turn_once_the_agent_is_ready() {
    let mut session = Session::opened(Some("hello"));
    assert_eq!(session.machine.state(), State::Starting);
    assert_eq!(session.count("turn.started"), 0);
    session.tell(Input::AgentStarted { generation: 1 });
    session.says(AgentEvent::Ready {
        version: None,
        model: None,
    });
    assert_eq!(session.count("turn.started"), 1);
    assert_eq!(session.machine.state(), State::Working);
    session.says(finished(TurnOutcome::Completed, 0.5));
    assert_eq!(session.machine.state(), State::Idle);
}

#[test]
fn messages_during_a_turn_wait_and_get_a_turn_each_in_order() {
    let mut session = Session::ready(Some("one"));
    let (two, three) = (session.send("two"), session.send("three"));
    assert_eq!(session.count("turn.started"), 1);
    let taken = |session: &mut Session, command| session.says(AgentEvent::MessageTaken { command });
    let first = session.machine.start().prompt_id.unwrap();
    taken(&mut session, first);
    session.says(finished(TurnOutcome::Completed, 0.1));
    taken(&mut session, two);
    session.says(finished(TurnOutcome::Completed, 0.3));
    taken(&mut session, three);
    session.says(finished(TurnOutcome::Completed, 0.6));
    let started: Vec<_> = session
        .events
        .iter()
        .filter_map(|event| {
            if let Event::TurnStarted(turn) = event {
                turn.command
            } else {
                None
            }
        })
        .collect();
    assert_eq!(started, [first, two, three]);
    let costs: Vec<_> = session
        .events
        .iter()
        .filter_map(|event| {
            if let Event::TurnFinished(turn) = event {
                Some((turn.cost_usd * 10.0).round())
            } else {
                None
            }
        })
        .collect();
    assert_eq!(
        costs,
        [1.0, 2.0, 3.0],
        "a turn's cost is its own share of the process"
    );
}

#[test]
fn an_agent_is_told_of_a_decision_only_after_events_holds_it() {
    let mut session = Session::ready(Some("go"));
    let gate = session.asks("t1");
    assert_eq!(session.machine.state(), State::Waiting);
    session.decide(gate, Verdict::Allow);
    assert_eq!((session.count("gate.decided"), session.answers()), (1, 0));
    let before_decision = session.machine.seq() - 3;
    session.tell(Input::Acknowledged {
        seq: before_decision,
    });
    assert_eq!(session.answers(), 0);
    session.acknowledge_all();
    assert_eq!((session.count("tool.released"), session.answers()), (1, 1));
    session.acknowledge_all();
    assert_eq!(session.answers(), 1, "an agent is told once");
}

#[test]
fn a_call_asked_again_keeps_its_gate() {
    let mut session = Session::ready(Some("go"));
    let gate = session.asks("t1");
    assert_eq!(session.asks("t1"), gate);
    assert_eq!(session.count("gate.opened"), 1);
}

#[test]
fn a_decision_about_another_input_opens_a_new_gate_and_denies_nothing() {
    let mut session = Session::ready(Some("go"));
    let gate = session.asks("t1");
    session.order(GateDecide {
        gate,
        decision: decision(Verdict::Allow, "another".into()),
    });
    assert_eq!(
        (
            session.count("gate.withdrawn"),
            session.count("gate.opened")
        ),
        (1, 2)
    );
    assert_eq!(session.machine.state(), State::Waiting);
    let again = session.gate_of("t1");
    assert_ne!(again, gate);
    session.decide(again, Verdict::Allow);
    session.acknowledge_all();
    assert_eq!(session.answers(), 1);
}

#[test]
fn an_agent_that_dies_leaves_nothing_denied() {
    let mut session = Session::ready(Some("go"));
    session.takes_up();
    let released = session.asks("ran");
    session.decide(released, Verdict::Allow);
    session.acknowledge_all();
    session.asks("open");
    session.tell(Input::AgentExited(AgentEnd {
        generation: 1,
        code: None,
        signal: Some(9),
        cause: None,
        stderr_tail: String::new(),
        half_line_bytes: 3,
    }));
    assert_eq!(session.machine.state(), State::Asleep);
    let outcomes: BTreeMap<_, _> = session
        .events
        .iter()
        .filter_map(|event| {
            if let Event::ToolFinished(tool) = event {
                Some((tool.tool_use.as_str(), tool.outcome))
            } else {
                None
            }
        })
        .collect();
    assert_eq!(
        outcomes,
        BTreeMap::from([
            ("ran", ToolOutcome::Unknown),
            ("open", ToolOutcome::Interrupted)
        ])
    );
    assert_eq!(
        (
            session.count("gate.withdrawn"),
            session.count("turn.finished")
        ),
        (1, 1)
    );
    session.send("go on");
    assert!(
        session
            .effects
            .contains(&Effect::StartAgent { generation: 2 }),
        "the next message wakes it"
    );
}

#[test]
fn an_answer_that_never_reached_its_agent_waits_for_the_next_one() {
    for verdict in [Verdict::Allow, Verdict::Deny] {
        let mut session = Session::ready(Some("go"));
        let gate = session.asks("t1");
        session.decide(gate, verdict);
        session.acknowledge_all();
        session.tell(Input::NotWritten {
            id: gate.to_string(),
        });
        session.dies();
        assert_eq!(session.outcome_of("t1"), None, "nothing has run");
        session.tell(Input::AgentStarted { generation: 2 });
        assert_eq!(session.asks("t1"), gate, "and nobody is asked twice");
        assert_eq!(session.count("gate.opened"), 1);
        assert_eq!(session.answers(), 2, "the next agent is told");
    }
}

#[test]
fn a_denied_call_whose_agent_dies_stays_denied() {
    let mut session = Session::ready(Some("go"));
    let gate = session.asks("t1");
    session.decide(gate, Verdict::Deny);
    session.acknowledge_all();
    session.dies();
    assert_eq!(session.outcome_of("t1"), Some(ToolOutcome::Denied));
}

#[test]
fn a_call_that_may_have_run_says_so_when_it_is_asked_again() {
    let mut session = Session::ready(Some("go"));
    let gate = session.asks("t1");
    session.decide(gate, Verdict::Allow);
    session.acknowledge_all();
    session.dies();
    assert_eq!(session.outcome_of("t1"), Some(ToolOutcome::Unknown));
    let again = session.asks("t1");
    assert_ne!(again, gate, "what may have run is another question");
    let said = session.events.iter().rev().find_map(|event| match event {
        Event::GateOpened(it) if it.gate == again => Some(it.risks.clone()),
        _ => None,
    });
    assert!(said.unwrap()[0].contains("may already have run"));
    assert_eq!(session.answers(), 1, "nothing runs again by itself");
}

#[test]
fn a_call_that_cannot_be_asked_again_is_withdrawn_and_never_denied() {
    let mut session = Session::ready(Some("go"));
    let gate = session.asks("t1");
    session.dies();
    assert_eq!(session.machine.state(), State::Waiting, "the gate stays");
    session.decide(gate, Verdict::Allow);
    session.tell(Input::AgentStarted { generation: 2 });
    session.acknowledge_all();
    assert_eq!(session.answers(), 0, "there is nobody to tell");
    session.tell(Input::NotAskedAgain {
        generation: 2,
        reason: "its transcript is gone".into(),
    });
    let withdrawn = session.events.iter().find_map(|event| match event {
        Event::GateWithdrawn(it) => Some(it.reason.clone()),
        _ => None,
    });
    assert!(withdrawn.unwrap().contains("its transcript is gone"));
    session.says(AgentEvent::Ready {
        version: None,
        model: None,
    });
    assert_eq!(session.machine.state(), State::Idle);
}

#[test]
fn an_agent_that_dies_over_one_call_again_and_again_is_left_alone() {
    let mut session = Session::ready(Some("go"));
    session.asks("t1");
    for generation in 1..=3 {
        session.dies();
        session.tell(Input::AgentStarted {
            generation: generation + 1,
        });
    }
    assert_eq!(session.machine.state(), State::Asleep);
    assert_eq!(session.count("gate.withdrawn"), 1);
}

#[test]
fn a_message_that_the_agent_never_had_is_given_to_the_next_one() {
    let mut session = Session::ready(None);
    let command = session.send("hello");
    session.dies();
    assert!(
        session
            .effects
            .contains(&Effect::StartAgent { generation: 2 })
    );
    session.tell(Input::AgentStarted { generation: 2 });
    session.says(AgentEvent::Ready {
        version: None,
        model: None,
    });
    let sent = session.effects.iter().filter(|effect| {
        matches!(effect, Effect::Send(Outgoing::Message { command: it, .. }) if *it == command)
    });
    assert_eq!(sent.count(), 2);
    assert_eq!(session.count("message.user"), 1);
}

#[test]
fn a_message_that_was_written_is_not_said_twice_and_what_waited_behind_it_goes_on() {
    let mut session = Session::ready(None);
    let first = session.send("first");
    session.tell(Input::Written {
        id: first.to_string(),
    });
    let second = session.send("second");
    session.dies();
    session.tell(Input::AgentStarted { generation: 2 });
    session.says(AgentEvent::Ready {
        version: None,
        model: None,
    });
    let sent = |command| {
        let is_it = |effect: &&Effect| matches!(effect, Effect::Send(Outgoing::Message { command: it, .. }) if *it == command);
        session.effects.iter().filter(is_it).count()
    };
    assert_eq!((sent(first), sent(second)), (1, 1));
}

#[test]
fn an_agent_that_dies_over_every_message_is_not_started_for_ever() {
    let mut session = Session::ready(None);
    session.send("poison");
    for generation in 2..6 {
        session.dies();
        session.tell(Input::AgentStarted { generation });
        session.says(AgentEvent::Ready {
            version: None,
            model: None,
        });
    }
    assert_eq!(session.machine.state(), State::Asleep);
}

#[test]
fn no_turn_begins_on_a_full_disk_and_what_waited_goes_on_when_there_is_room() {
    let mut session = Session::ready(None);
    session.tell(Input::Disk { low: true });
    session.send("later");
    assert_eq!(
        (session.count("message.user"), session.count("turn.started")),
        (1, 0)
    );
    assert_eq!(session.count("warning"), 1);
    session.tell(Input::Disk { low: false });
    assert_eq!(session.count("turn.started"), 1);
}

#[test]
fn an_interrupt_without_a_turn_says_nothing_to_the_agent() {
    let mut session = Session::ready(None);
    session.order(TurnInterrupt {});
    assert!(
        !session
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Send(Outgoing::Interrupt { .. })))
    );
}

#[test]
fn a_stopped_session_says_so_last() {
    let mut session = Session::ready(Some("go"));
    let gate = session.asks("t1");
    session.order(SessionStop {});
    assert!(matches!(session.events.last(), Some(Event::SessionEnded(ended)) if ended.clean));
    assert_eq!(session.machine.state(), State::Ended);
    session.says(AgentEvent::TurnBegan);
    session.send("once more");
    session.decide(gate, Verdict::Allow);
    session.order(SessionStop {});
    assert!(
        matches!(session.events.last(), Some(Event::SessionEnded(_))),
        "nothing follows"
    );
}

#[test]
fn a_turn_that_the_agent_begins_itself_is_a_turn() {
    let mut session = Session::ready(None);
    session.says(AgentEvent::TurnBegan);
    session.says(finished(TurnOutcome::Completed, 0.0));
    assert_eq!(
        (
            session.count("turn.started"),
            session.count("turn.finished")
        ),
        (1, 1)
    );
}

#[derive(Debug, Clone)]
enum Happening {
    Send,
    Ask(u8),
    Decide(u8, bool),
    Acknowledge(u8),
    Finish(u8),
    TurnOver,
    Die,
    Interrupt,
    Stop,
    Reload,
    Ready,
    NotAsked,
    Sleep,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        2 => Just(Happening::Send),
        4 => (0..4_u8).prop_map(Happening::Ask),
        4 => (0..4_u8, any::<bool>()).prop_map(|(tool, allow)| Happening::Decide(tool, allow)),
        4 => (0..20_u8).prop_map(Happening::Acknowledge),
        3 => (0..4_u8).prop_map(Happening::Finish),
        2 => Just(Happening::TurnOver),
        1 => Just(Happening::Die),
        1 => Just(Happening::Interrupt),
        1 => Just(Happening::Stop),
        3 => Just(Happening::Reload),
        2 => Just(Happening::Ready),
        1 => Just(Happening::NotAsked),
        1 => Just(Happening::Sleep),
    ]
}

fn happen(session: &mut Session, it: &Happening) {
    match it {
        Happening::Send => {
            session.send("m");
        }
        Happening::Ask(tool) => {
            if session.machine.agent() == AgentState::Ready {
                session.asks(&format!("tool-{tool}"));
            }
        }
        Happening::Decide(tool, allow) => {
            let name = format!("tool-{tool}");
            if session
                .events
                .iter()
                .any(|event| matches!(event, Event::GateOpened(opened) if opened.tool_use == name))
            {
                let gate = session.gate_of(&name);
                session.decide(
                    gate,
                    if *allow {
                        Verdict::Allow
                    } else {
                        Verdict::Deny
                    },
                );
            }
        }
        Happening::Acknowledge(behind) => {
            let seq = session.machine.seq().saturating_sub(u64::from(*behind));
            session.tell(Input::Acknowledged { seq });
        }
        Happening::Finish(tool) => session.says(AgentEvent::ToolFinished {
            tool_use: format!("tool-{tool}"),
            outcome: ToolOutcome::Succeeded,
            output: "done".into(),
            files: FilesTouched::No,
        }),
        Happening::TurnOver => session.says(finished(TurnOutcome::Completed, 1.0)),
        Happening::Die => session.dies(),
        Happening::Interrupt => {
            session.order(TurnInterrupt {});
        }
        Happening::Stop => {
            session.order(SessionStop {});
        }
        // A crash of the runner: the machine as it was recorded goes on.
        Happening::Reload => {
            let text = serde_json::to_string(&session.machine).unwrap();
            session.machine = serde_json::from_str(&text).unwrap();
        }
        Happening::NotAsked => {
            let generation = session.machine.generation();
            session.tell(Input::NotAskedAgain {
                generation,
                reason: "it is lost".into(),
            });
        }
        Happening::Sleep => session.tell(Input::Sleep),
        Happening::Ready => {
            let generation = session.machine.generation();
            session.tell(Input::AgentStarted { generation });
            session.says(AgentEvent::Ready {
                version: None,
                model: None,
            });
        }
    }
}

/// The laws, read from what was said alone.
fn hold_laws(session: &Session) -> Result<(), TestCaseError> {
    let (mut opened, mut decided, mut closed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut open_turns: i32 = 0;
    for event in &session.events {
        match event {
            Event::GateOpened(it) => prop_assert!(opened.insert(it.gate), "a gate opens once"),
            Event::GateDecided(it) => {
                prop_assert!(opened.contains(&it.gate), "only an open gate is decided");
                prop_assert!(
                    !closed.contains(&it.gate),
                    "a withdrawn gate is not decided"
                );
                prop_assert!(decided.insert(it.gate), "the first decision wins");
            }
            Event::GateWithdrawn(it) => {
                closed.insert(it.gate);
            }
            Event::ToolReleased(it) => {
                prop_assert!(decided.contains(&it.gate), "no release without a decision");
                prop_assert!(!closed.contains(&it.gate), "no release of a withdrawn gate");
            }
            Event::TurnStarted(_) => open_turns += 1,
            Event::TurnFinished(_) => open_turns -= 1,
            _ => {}
        }
        prop_assert!((0..=1).contains(&open_turns), "one turn at a time");
    }
    let mut told = BTreeSet::new();
    for effect in &session.effects {
        if let Effect::Send(outgoing @ Outgoing::Answer { gate, .. }) = effect {
            prop_assert!(
                decided.contains(gate),
                "an agent is told only what was decided"
            );
            prop_assert!(told.insert(outgoing.id()), "and told once");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold_in_any_order_of_inputs_and_crashes(happenings in prop::collection::vec(happening(), 1..60)) {
        let mut session = Session::ready(Some("go"));
        for it in &happenings {
            happen(&mut session, it);
            hold_laws(&session)?;
        }
    }
}
