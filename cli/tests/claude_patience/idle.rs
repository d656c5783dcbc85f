//! An agent with nothing to do, and one whose turn is over while something of it still works.

use crate::station::Station;

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_agent_is_stopped_and_the_next_message_wakes_it_with_its_conversation() {
    let station = Station::start().await;
    let fleet = &station.fleet;
    let prompt = "stream 100 10\nsay The word is swordfish";
    let session = fleet.start_session("claude", prompt).await;
    fleet
        .wait_event(&session, "the message to be taken up", |event| {
            event["type"] == "message.delivered"
        })
        .await;
    assert!(!station.processes(&session).await.is_empty());
    fleet.wait_state(&session, &["asleep"]).await;
    station.wait_stopped(&session).await;
    let asked_before = station.model.requests().len();
    for again in ["say And on", "say And further on"] {
        station.say(&session, again).await;
        station.wait_said(&session, &again[4..]).await;
        fleet.wait_state(&session, &["asleep"]).await;
        station.wait_stopped(&session).await;
    }
    let conversation = |request: &serde_json::Value| request["messages"].to_string();
    let first = conversation(&station.model.requests()[asked_before]);
    assert!(first.contains("stream 100 10") && first.contains("word-100"));
    let last = conversation(&station.model.requests().pop().unwrap());
    for said in ["The word is swordfish", "say And on", "say And further on"] {
        assert!(last.contains(said), "{said} is missing in {last}");
    }
    assert_eq!(station.agents(&session).await, 3);
    assert_eq!(
        station.count(&session, "agent.exited").await,
        0,
        "sleep is not a crash"
    );
    assert_eq!(station.count(&session, "turn.finished").await, 3);
    fleet.assert_contiguous(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_in_the_background_keeps_its_agent_and_ends_in_peace() {
    let station = Station::start().await;
    let fleet = &station.fleet;
    let go = station.path("go");
    let command = format!(
        "until [ -e {} ]; do sleep 0.1; done; {}",
        go.display(),
        station.ledger_command("ran")
    );
    let input = serde_json::json!({"command": command, "run_in_background": true});
    let session = fleet
        .start_session("claude", &format!("tool Bash {input}\nsay It runs"))
        .await;
    assert_eq!(fleet.allow_all(&session).await, 1);
    station.let_others_sleep().await;
    std::fs::write(&go, "").unwrap();
    station.wait_ledger("ran\n").await;
    // The agent is told, and begins a turn of its own; after that nothing keeps it.
    station.wait_said(&session, "in the background").await;
    assert_eq!(station.agents(&session).await, 1);
    fleet.wait_state(&session, &["asleep"]).await;
    station.wait_stopped(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subagent_in_the_background_keeps_its_agent() {
    let station = Station::start().await;
    let fleet = &station.fleet;
    let inner = station.ledger_step("ran");
    let session = fleet
        .start_session("claude", &format!("agent stream 800 10\\n{inner}"))
        .await;
    let gate = fleet.gate(&session).await;
    fleet
        .decide(&gate, serde_json::json!({"decision": "allow"}))
        .await;
    fleet
        .wait_event(&session, "the turn to end", |event| {
            event["type"] == "turn.finished"
        })
        .await;
    // It still speaks now, and asks later. Neither may be slept through: only its own process can go on with it.
    station.let_others_sleep().await;
    let gate = fleet.gate(&session).await;
    assert!(gate["parent"].is_string(), "{gate}");
    station.let_others_sleep().await;
    fleet
        .decide(&gate, serde_json::json!({"decision": "allow"}))
        .await;
    station.wait_ledger("ran\n").await;
    fleet.wait_state(&session, &["asleep"]).await;
    assert_eq!(station.agents(&session).await, 1);
    assert_eq!(station.ledger(), "ran\n");
    assert_eq!(station.count(&session, "gate.withdrawn").await, 0);
}
