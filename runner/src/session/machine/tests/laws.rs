//! The laws, under any order of inputs and crashes.

use std::collections::BTreeSet;

use nats::command::{LimitResume, SessionStop, TurnInterrupt};
use proptest::prelude::*;

use super::*;
use crate::agent::FilesTouched;

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
    Remind(u8),
    Limit,
    LimitOver,
    LimitSwitch(bool),
    Lives,
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
        3 => Just(Happening::Sleep),
        1 => (0..4_u8).prop_map(Happening::Remind),
        1 => Just(Happening::Limit),
        2 => Just(Happening::LimitOver),
        1 => any::<bool>().prop_map(Happening::LimitSwitch),
        1 => Just(Happening::Lives),
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
        Happening::Remind(tool) => {
            let name = format!("tool-{tool}");
            let opened =
                |event: &Event| matches!(event, Event::GateOpened(it) if it.tool_use == name);
            if session.events.iter().any(opened) {
                let gate = session.gate_of(&name);
                session.tell(Input::Remind { gate, waited_ms: 1 });
            }
        }
        Happening::Limit => session.tell(Input::Limit(LimitSeen {
            message: "full".into(),
            resets_at: None,
            resume_at: Some(Timestamp::from_milliseconds(1)),
            resumes_by_default: true,
        })),
        Happening::LimitOver => session.tell(Input::LimitOver),
        Happening::LimitSwitch(enabled) => {
            session.order(LimitResume { enabled: *enabled });
        }
        Happening::Lives => {
            let generation = session.machine.generation();
            session.tell(Input::AgentLives { generation });
        }
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
            Event::GateReminded(it) => prop_assert!(
                opened.contains(&it.gate)
                    && !decided.contains(&it.gate)
                    && !closed.contains(&it.gate),
                "only what waits is told of again"
            ),
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
        }
        // What was said is never taken back, so that looking once at all of it sees every moment.
        hold_laws(&session)?;
    }
}
