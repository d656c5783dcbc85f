//! What a tab gets: no hole, no double, from wherever it begins.

use nats::event::{BlockKind, Event, MessageAssistant, State};
use nats::ids::{GateId, SessionId};
use nats::live::Delta;
use serde_json::{Value, json};

use crate::support::{Fleet, Tab, gate_opened, running, said, seqs, state, wait_for_seq};

#[tokio::test]
async fn a_tab_that_subscribes_while_events_pour_in_gets_each_of_them_once() {
    let fleet = Fleet::start().await;
    let (_coordinator, ada, mut host, session) = running(&fleet).await;
    host.tell(session, (0..50).map(|n| said(&n.to_string())))
        .await;
    let writing = tokio::spawn(async move {
        for n in 50..400 {
            host.tell(session, [said(&n.to_string())]).await;
        }
        host
    });
    let mut readers = Vec::new();
    for after in [None, Some(0), Some(40)] {
        let ada = ada.clone();
        readers.push(tokio::spawn(async move {
            let mut tab = Tab::open(&ada).await;
            assert_eq!(tab.next().await["type"], "hello");
            let subscribed = tab.subscribe(session, after).await;
            let mut seen = seqs(&subscribed["tail"]);
            let (from, to) = (
                subscribed["from"].as_u64().unwrap(),
                subscribed["to"].as_u64().unwrap(),
            );
            assert_eq!(seen.first().copied().unwrap_or(to + 1), from);
            if let Some(after) = after {
                assert_eq!((from, &subscribed["reset"]), (after + 1, &json!(false)));
            }
            if to < 400 {
                seen.extend(tab.read_to(400).await);
            }
            assert_eq!(seen, (from..=400).collect::<Vec<_>>());
        }));
    }
    for reader in readers {
        reader.await.unwrap();
    }
    writing.await.unwrap();
}

#[tokio::test]
async fn a_tab_without_a_cursor_or_too_far_behind_gets_the_tail_and_pages_back() {
    let fleet = Fleet::start().await;
    let (_coordinator, ada, mut host, session) = running(&fleet).await;
    host.tell(session, (0..1200).map(|n| said(&n.to_string())))
        .await;
    wait_for_seq(&ada, session, 1200).await;
    let mut tab = Tab::open(&ada).await;
    for after in [None, Some(3)] {
        let subscribed = tab.subscribe(session, after).await;
        assert_eq!(
            (&subscribed["from"], &subscribed["to"], &subscribed["reset"]),
            (&json!(1001), &json!(1200), &json!(true))
        );
        assert_eq!(subscribed["tail"].as_array().unwrap().len(), 200);
    }
    let caught_up = tab.subscribe(session, Some(1200)).await;
    assert_eq!(
        (
            &caught_up["tail"],
            &caught_up["from"],
            &caught_up["to"],
            &caught_up["reset"]
        ),
        (&json!([]), &json!(1201), &json!(1200), &json!(false))
    );
    host.tell(session, [said("more")]).await;
    assert_eq!(tab.read_to(1201).await, [1201]);
}

#[tokio::test]
async fn a_late_tab_sees_the_block_that_is_being_written_from_its_beginning() {
    let fleet = Fleet::start().await;
    let (_coordinator, ada, mut host, session) = running(&fleet).await;
    host.open(session).await;
    let delta = |offset: u64, text: &str| {
        nats::live::Live::Delta(Delta {
            turn: None,
            message: "msg".to_owned(),
            block: 0,
            kind: BlockKind::Text,
            offset,
            text: text.to_owned(),
        })
    };
    let mut early = Tab::open(&ada).await;
    early.subscribe(session, None).await;
    host.say_live(session, delta(0, "Hello")).await;
    host.say_live(session, delta(5, ", wor")).await;
    assert_eq!(
        early.next_of("live").await["live"][0]["data"]["text"],
        "Hello"
    );
    assert_eq!(
        early.next_of("live").await["live"][0]["data"]["text"],
        ", wor"
    );

    let mut late = Tab::open(&ada).await;
    let subscribed = late.subscribe(session, None).await;
    assert_eq!(subscribed["live"][0]["type"], "snapshot");
    assert_eq!(subscribed["live"][0]["data"]["text"], "Hello, wor");
    host.say_live(session, delta(10, "ld")).await;
    assert_eq!(late.next_of("live").await["live"][0]["data"]["offset"], 10);

    let whole = MessageAssistant {
        turn: None,
        message: "msg".to_owned(),
        block: 0,
        kind: BlockKind::Text,
        text: "Hello, world".to_owned(),
        parent: None,
    };
    host.tell(session, [Event::from(whole)]).await;
    late.next_of("events").await;
    let mut last = Tab::open(&ada).await;
    assert_eq!(last.subscribe(session, None).await["live"], json!([]));
}

#[tokio::test]
async fn the_lists_of_a_tab_follow_sessions_gates_and_hosts() {
    let fleet = Fleet::start().await;
    let (_coordinator, ada, mut host, session) = running(&fleet).await;
    let mut tab = Tab::open(&ada).await;
    tab.say(json!({"type": "subscribe_fleet"})).await;
    let snapshot = tab.next_of("fleet").await;
    assert_eq!(
        (&snapshot["snapshot"], &snapshot["sessions"][0]["id"]),
        (&json!(true), &json!(session))
    );
    assert_eq!(snapshot["hosts"][0]["host"], "vps-1");

    let gate = GateId::new();
    host.open(session).await;
    host.tell(session, [gate_opened(gate), state(State::Waiting)])
        .await;
    let mut row = Value::Null;
    while row["state"] != "waiting" {
        let change = tab.next_of("fleet").await;
        assert_eq!(change["snapshot"], false);
        row = change["sessions"][0].clone();
    }
    assert_eq!(
        (&row["pending_gates"], &row["oldest_gate"]),
        (&json!(1), &json!(gate))
    );
    assert!(row["waiting_since"].is_string());
    let (status, _) = ada
        .post(
            &format!("/api/gates/{gate}/decision"),
            json!({"decision": "allow"}),
        )
        .await;
    assert_eq!(status, 200);
    let mut decided = Value::Null;
    while decided["state"] != "decided" {
        decided = tab.next_of("fleet").await["gates"][0].clone();
    }
    assert_eq!(decided["id"], json!(gate));
}

#[tokio::test]
async fn a_frame_that_makes_no_sense_is_answered_and_the_tab_goes_on() {
    let fleet = Fleet::start().await;
    let (_coordinator, ada, _host, session) = running(&fleet).await;
    let mut tab = Tab::open(&ada).await;
    for odd in [
        json!({"type": "dance"}),
        json!([]),
        json!({"type": "subscribe"}),
    ] {
        tab.say(odd.clone()).await;
        assert_eq!(
            tab.next_of("error").await["error"]["code"],
            "invalid_body",
            "{odd}"
        );
    }
    let nowhere = SessionId::new();
    tab.say(json!({"type": "subscribe", "session": nowhere}))
        .await;
    let error = tab.next_of("error").await;
    assert_eq!(
        (&error["error"]["code"], &error["session"]),
        (&json!("unknown_session"), &json!(nowhere))
    );
    tab.say(json!({"type": "ping"})).await;
    tab.next_of("pong").await;
    assert_eq!(
        tab.subscribe(session, None).await["session"],
        json!(session)
    );
}
