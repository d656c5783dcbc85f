//! Stories of a session whose host has no slot for its agent, or wants one back.

use nats::event::State;

use super::*;

fn last_state(session: &Session) -> (State, Option<String>) {
    let told = session.events.iter().rev().find_map(|event| match event {
        Event::SessionState(it) => Some((it.state, it.reason.clone())),
        _ => None,
    });
    told.unwrap()
}

/// Greeted, and with nothing to do.
fn at_rest() -> Session {
    let mut session = Session::ready(None);
    session.tell(Input::Written {
        id: "initialize_1".into(),
    });
    session
}

#[test]
fn a_sleeping_session_that_is_told_something_on_a_full_host_says_what_it_waits_for() {
    let mut session = at_rest();
    session.tell(Input::Yield);
    let (state, reason) = last_state(&session);
    assert_eq!(state, State::Asleep);
    assert!(reason.unwrap().contains("make room"), "{state:?}");
    session.send("are you there");
    session.tell(Input::Slot { waits: true });
    let (state, reason) = last_state(&session);
    assert_eq!(state, State::Starting);
    assert!(reason.unwrap().contains("free slot"));
    // What was said is in its keeping, and goes to the agent once there is one.
    session.send("and you");
    session.tell(Input::Slot { waits: false });
    assert_eq!(last_state(&session), (State::Starting, None));
    let generation = session.machine.generation();
    session.tell(Input::AgentStarted { generation });
    session.says(AgentEvent::Ready {
        version: None,
        model: None,
    });
    session.takes_up();
    let said: Vec<_> = session
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send(Outgoing::Message { text, .. }) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(said, ["are you there"]);
}

#[test]
fn a_session_at_work_gives_nothing_up() {
    let mut session = Session::ready(Some("go"));
    session.takes_up();
    session.tell(Input::Yield);
    assert_eq!(session.machine.agent(), AgentState::Ready);
    session.asks("t1");
    session.tell(Input::Yield);
    assert_eq!(
        session.machine.agent(),
        AgentState::Ready,
        "one that waits is no idle one"
    );
}

#[test]
fn a_session_that_waits_for_a_slot_can_be_stopped() {
    let mut session = at_rest();
    session.tell(Input::Yield);
    session.send("are you there");
    session.tell(Input::Slot { waits: true });
    session.order(nats::command::SessionStop {});
    assert!(session.machine.has_ended());
    assert_eq!(session.machine.agent(), AgentState::Gone);
}
