//! One story a test: what a session does in the situations that people meet.

use std::collections::BTreeMap;

use nats::command::{SessionStop, TurnInterrupt};
use nats::event::State;

use super::*;

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
