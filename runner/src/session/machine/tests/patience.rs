//! Waiting for long: agents that sleep at a gate, reminders, usage limits, and agents that die again and again.

use nats::command::{LimitResume, TurnInterrupt};
use nats::event::{Delivery, State};

use super::*;

#[test]
fn an_agent_that_asks_again_and_dies_each_time_is_left_alone_in_the_end() {
    let mut session = Session::ready(Some("go"));
    session.asks("t1");
    let mut starts = 0;
    while session.machine.state() == State::Waiting {
        session.dies();
        starts += 1;
        assert!(starts < 20, "it is started for ever");
        session.tell(Input::AgentStarted {
            generation: session.machine.generation(),
        });
        if session.machine.agent() != AgentState::Gone {
            session.asks("t1");
        }
    }
    assert_eq!(session.count("gate.withdrawn"), 1);
    assert!(
        session
            .events
            .iter()
            .any(|event| matches!(event, Event::TurnFinished(turn) if turn.can_continue))
    );
}

#[test]
fn an_agent_that_lived_for_long_in_between_did_not_die_of_its_call() {
    let mut session = Session::ready(Some("go"));
    session.asks("t1");
    for _ in 0..20 {
        session.dies();
        let generation = session.machine.generation();
        session.tell(Input::AgentStarted { generation });
        session.asks("t1");
        session.tell(Input::AgentLives { generation });
    }
    assert_eq!(session.machine.state(), State::Waiting);
}

/// One that was put to sleep while its one call waits.
fn asleep_at_a_gate() -> (Session, GateId) {
    let mut session = Session::ready(Some("go"));
    session.takes_up();
    session.tell(Input::Written {
        id: "initialize_1".into(),
    });
    let gate = session.asks("t1");
    session.tell(Input::Sleep);
    assert_eq!(session.machine.agent(), AgentState::Gone);
    (session, gate)
}

fn last_reason(session: &Session) -> Option<String> {
    session.events.iter().rev().find_map(|event| match event {
        Event::SessionState(it) => Some(it.reason.clone()),
        _ => None,
    })?
}

#[test]
fn a_session_that_waits_sleeps_with_its_gate_and_a_decision_wakes_it() {
    for verdict in [Verdict::Allow, Verdict::Deny] {
        let (mut session, gate) = asleep_at_a_gate();
        assert_eq!(session.machine.state(), State::Waiting, "people are needed");
        assert!(
            last_reason(&session)
                .unwrap()
                .contains("a decision wakes it")
        );
        // A restart of the runner finds it asleep and starts nothing.
        let stored = serde_json::to_string(&session.machine).unwrap();
        session.machine = serde_json::from_str(&stored).unwrap();
        let starts = |effect: &Effect| matches!(effect, Effect::StartAgent { .. });
        assert!(!session.machine.resume().iter().any(starts));

        session.decide(gate, verdict);
        assert!(
            session
                .effects
                .contains(&Effect::StartAgent { generation: 2 })
        );
        assert_eq!(session.machine.unanswered().unwrap().0, "t1");
        session.acknowledge_all();
        assert_eq!(session.answers(), 0, "nobody is there to be told");
        session.tell(Input::AgentStarted { generation: 2 });
        assert_eq!(session.asks("t1"), gate);
        assert_eq!((session.count("gate.opened"), session.answers()), (1, 1));
    }
}

#[test]
fn a_sleeping_agent_that_cannot_ask_again_leaves_its_gate_withdrawn_and_a_way_on() {
    let (mut session, gate) = asleep_at_a_gate();
    session.decide(gate, Verdict::Allow);
    session.tell(Input::AgentStarted { generation: 2 });
    session.tell(Input::NotAskedAgain {
        generation: 2,
        reason: "its transcript is gone".into(),
    });
    let can_continue = session.events.iter().any(
        |event| matches!(event, Event::GateWithdrawn(it) if it.gate == gate && it.can_continue),
    );
    assert!(can_continue);
    assert_eq!((session.answers(), session.count("tool.released")), (0, 0));
}

#[test]
fn an_agent_stays_while_it_waits_for_more_than_it_could_ask_again() {
    let mut session = Session::ready(Some("go"));
    session.takes_up();
    session.tell(Input::Written {
        id: "initialize_1".into(),
    });
    session.asks("t1");
    session.asks("t2");
    assert_eq!(session.machine.may_sleep_at(), None);
    session.tell(Input::Sleep);
    assert_eq!(session.machine.agent(), AgentState::Ready);
}

#[test]
fn work_in_the_background_keeps_an_agent_that_is_idle_or_waits() {
    let mut session = Session::ready(Some("go"));
    session.takes_up();
    session.tell(Input::Written {
        id: "initialize_1".into(),
    });
    session.says(AgentEvent::WorksInBackground(true));
    session.asks("t1");
    session.tell(Input::Sleep);
    assert_eq!(session.machine.agent(), AgentState::Ready);
    assert_eq!(session.machine.may_sleep_at(), None);
    session.says(AgentEvent::WorksInBackground(false));
    assert!(session.machine.may_sleep_at().is_some());

    let mut session = Session::ready(Some("go"));
    session.takes_up();
    session.tell(Input::Written {
        id: "initialize_1".into(),
    });
    session.says(AgentEvent::WorksInBackground(true));
    session.says(finished(TurnOutcome::Completed, 0.0));
    assert_eq!(session.machine.state(), State::Idle);
    session.tell(Input::Sleep);
    assert!(!session.machine.rests());
    assert_eq!(session.machine.agent(), AgentState::Ready);
    // What works dies with its process, and the next one has none.
    session.dies();
    session.send("and on");
    let generation = session.machine.generation();
    session.tell(Input::AgentStarted { generation });
    session.says(AgentEvent::Ready {
        version: None,
        model: None,
    });
    session.takes_up();
    session.says(finished(TurnOutcome::Completed, 0.0));
    assert!(session.machine.rests());
}

#[test]
fn what_sleeps_at_a_gate_is_interrupted_once_it_has_asked_again() {
    let (mut session, _) = asleep_at_a_gate();
    let interrupt = session.order(TurnInterrupt {});
    session.tell(Input::AgentStarted { generation: 2 });
    let sent = |session: &Session| {
        let is_it = |effect: &Effect| matches!(effect, Effect::Send(Outgoing::Interrupt { command }) if *command == interrupt);
        session.effects.iter().any(is_it)
    };
    assert!(!sent(&session));
    session.asks("t1");
    assert!(sent(&session));
}

#[test]
fn a_message_that_cannot_steer_says_that_it_waits() {
    let (mut session, gate) = asleep_at_a_gate();
    session.order(MessageSend {
        text: "and mind the gap".into(),
        delivery: Delivery::Steer,
        ..MessageSend::default()
    });
    let told = session.events.iter().rev().find_map(|event| match event {
        Event::MessageUser(it) => Some(it.delivery),
        _ => None,
    });
    assert_eq!(told, Some(Delivery::Queue));
    assert_eq!(
        session.machine.agent(),
        AgentState::Gone,
        "the gate is still what it waits for"
    );
    session.decide(gate, Verdict::Allow);
    session.tell(Input::AgentStarted { generation: 2 });
    session.asks("t1");
    session.acknowledge_all();
    session.says(AgentEvent::Ready {
        version: None,
        model: None,
    });
    session.says(finished(TurnOutcome::Completed, 0.0));
    assert_eq!(
        session.count("turn.started"),
        2,
        "it became a turn of its own"
    );
}

#[test]
fn a_reminder_decides_nothing_and_is_told_only_of_what_waits() {
    let mut session = Session::ready(Some("go"));
    let gate = session.asks("t1");
    for waited_ms in [900_000, 3_600_000] {
        session.tell(Input::Remind { gate, waited_ms });
    }
    let told: Vec<_> = session
        .events
        .iter()
        .filter_map(|event| match event {
            Event::GateReminded(it) => Some((it.waited_minutes, it.count)),
            _ => None,
        })
        .collect();
    assert_eq!(told, [(15, 1), (60, 2)]);
    assert_eq!(session.machine.state(), State::Waiting);
    session.decide(gate, Verdict::Allow);
    session.tell(Input::Remind {
        gate,
        waited_ms: 14_400_000,
    });
    assert_eq!(session.count("gate.reminded"), 2);
}

/// A session whose turn ran into a limit.
fn at_a_limit() -> Session {
    let mut session = Session::ready(Some("go"));
    session.takes_up();
    session.tell(Input::Written {
        id: "initialize_1".into(),
    });
    runs_into_limit(&mut session);
    session
}

fn runs_into_limit(session: &mut Session) {
    session.tell(Input::Limit(LimitSeen {
        message: "You've hit your limit".into(),
        resets_at: Some(Timestamp::from_milliseconds(1)),
        resume_at: Some(Timestamp::from_milliseconds(2)),
        resumes_by_default: true,
    }));
    session.says(finished(TurnOutcome::Failed, 0.0));
}

#[test]
fn a_session_goes_on_after_its_limit_by_itself() {
    let mut session = at_a_limit();
    assert!(last_reason(&session).unwrap().contains("hit your limit"));
    assert_eq!(
        session.machine.resume_at(),
        Some(Timestamp::from_milliseconds(2))
    );
    session.tell(Input::Sleep);
    assert_eq!(
        session.machine.agent(),
        AgentState::Gone,
        "it sleeps until then"
    );
    session.tell(Input::LimitOver);
    let said = session.events.iter().rev().find_map(|event| match event {
        Event::MessageUser(it) => Some((it.text.clone(), it.by)),
        _ => None,
    });
    assert_eq!(said, Some(("continue".into(), None)));
    assert!(
        session
            .effects
            .contains(&Effect::StartAgent { generation: 2 })
    );
    assert_eq!(session.machine.resume_at(), None);
}

#[test]
fn a_person_takes_over_at_a_limit_by_a_word_an_interrupt_or_the_switch() {
    let mut session = at_a_limit();
    session.send("let it be");
    session.tell(Input::LimitOver);
    assert_eq!(
        session.count("message.user"),
        2,
        "nothing is said by itself"
    );

    let mut session = at_a_limit();
    session.order(TurnInterrupt {});
    assert_eq!(session.machine.resume_at(), None);
    assert_eq!(session.count("limit.changed"), 1);

    let mut session = at_a_limit();
    session.order(LimitResume { enabled: false });
    session.tell(Input::LimitOver);
    assert_eq!(
        (session.machine.resume_at(), session.count("message.user")),
        (None, 1)
    );
    session.order(LimitResume { enabled: true });
    assert!(session.machine.resume_at().is_some());
}

#[test]
fn what_waits_at_a_limit_is_held_and_follows_the_continuation() {
    let mut session = Session::ready(Some("go"));
    session.takes_up();
    let second = session.send("second");
    runs_into_limit(&mut session);
    let sent = |session: &Session| {
        let is_it = |effect: &Effect| matches!(effect, Effect::Send(Outgoing::Message { command, .. }) if *command == second);
        session.effects.iter().any(is_it)
    };
    assert!(!sent(&session));
    session.tell(Input::LimitOver);
    session.takes_up();
    assert!(!sent(&session), "first it goes on with what broke off");
    session.says(finished(TurnOutcome::Completed, 0.0));
    assert!(sent(&session));
}

#[test]
fn a_session_that_gets_nothing_done_after_its_limits_waits_for_a_person() {
    let mut session = at_a_limit();
    let mut resumed = 0;
    while session.machine.resume_at().is_some() {
        session.tell(Input::LimitOver);
        resumed += 1;
        assert!(resumed < 20, "it goes on for ever");
        session.takes_up();
        runs_into_limit(&mut session);
    }
    assert_eq!(session.machine.state(), State::Idle);
}
