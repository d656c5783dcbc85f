//! Agents that wait for a person: stopped where the next one asks for the same call, and left alone elsewhere.

use serde_json::{Value, json};

use crate::station::Station;

/// A session whose agent was stopped while a command waits. Its gate, and how often the model had been asked by then.
async fn asleep_at_a_command(station: &Station) -> (String, Value, usize) {
    let prompt = format!("say I begin\n{}\nsay I am done", station.ledger_step("ran"));
    let session = station.fleet.start_session("claude", &prompt).await;
    let gate = station.fleet.gate(&session).await;
    station.wait_asleep_at_gate(&session).await;
    // The signal that stopped it has left no answer behind, and has not cost a call of the model.
    let transcript = station.transcript(&session).await;
    assert!(transcript.contains(gate["tool_use"].as_str().unwrap()));
    for answer in ["tool_result", "interrupted by user", "stream closed"] {
        assert!(!transcript.contains(answer), "{answer}: {transcript}");
    }
    (session, gate, station.model.requests().len())
}

/// The call came of one gate, and of one turn, of which nobody was told anything but what was decided.
async fn was_asked_once(station: &Station, session: &str, gate: &Value) {
    let opened = station.events_of(session, "gate.opened").await;
    assert_eq!(opened.len(), 1, "{opened:?}");
    assert_eq!(opened[0]["data"]["gate"], gate["id"]);
    let finished = station.events_of(session, "tool.finished").await;
    assert_eq!(finished.len(), 1, "{finished:?}");
    for (tag, times) in [
        ("gate.withdrawn", 0),
        ("agent.exited", 0),
        ("turn.started", 1),
        ("turn.finished", 1),
    ] {
        assert_eq!(station.count(session, tag).await, times, "{tag}");
    }
    assert_eq!(station.agents(session).await, 2);
    station.fleet.assert_contiguous(session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_allowed_in_its_agents_sleep_runs_once() {
    let station = Station::start().await;
    let (session, gate, asked) = asleep_at_a_command(&station).await;
    station.let_others_sleep().await;
    assert_eq!(
        station.model.requests().len(),
        asked,
        "nobody works meanwhile"
    );
    let allow = json!({"decision": "allow", "input_hash": gate["input_hash"]});
    station.fleet.decide(&gate, allow).await;
    station.wait_said(&session, "I am done").await;
    station.fleet.wait_state(&session, &["asleep"]).await;
    assert_eq!(station.ledger(), "ran\n");
    was_asked_once(&station, &session, &gate).await;
    assert_eq!(station.failures_told(), [""; 0]);
    assert_eq!(station.model.requests().len(), asked + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_denied_in_its_agents_sleep_never_runs_and_the_reason_is_told() {
    let station = Station::start().await;
    let (session, gate, asked) = asleep_at_a_command(&station).await;
    let reason = "Not today — \"tomorrow\"";
    let deny = json!({"decision": "deny", "reason": reason});
    station.fleet.decide(&gate, deny).await;
    station.wait_said(&session, "I am done").await;
    station.fleet.wait_state(&session, &["asleep"]).await;
    assert_eq!(station.ledger(), "");
    was_asked_once(&station, &session, &gate).await;
    let finished = station.events_of(&session, "tool.finished").await;
    assert_eq!(finished[0]["data"]["outcome"], "denied");
    assert_eq!(station.failures_told(), [json!(reason).to_string()]);
    assert_eq!(station.model.last_tool_results(), [reason]);
    assert_eq!(station.model.requests().len(), asked + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_answered_in_its_agents_sleep_is_heard() {
    let station = Station::start().await;
    let prompt = "ask Which database? | SQLite | Postgres\nsay Noted";
    let session = station.fleet.start_session("claude", prompt).await;
    let gate = station.fleet.gate(&session).await;
    station.wait_asleep_at_gate(&session).await;
    let answer = json!({"decision": "answer", "answers": {"Which database?": "Postgres"}});
    station.fleet.decide(&gate, answer).await;
    station.wait_said(&session, "Noted").await;
    station.fleet.wait_state(&session, &["asleep"]).await;
    was_asked_once(&station, &session, &gate).await;
    assert!(station.model.saw_text("\"Which database?\"=\"Postgres\""));
    assert_eq!(station.failures_told(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_wait_together_keep_their_agent_until_only_one_is_left() {
    let station = Station::start().await;
    let fleet = &station.fleet;
    let last = station.ledger_step("ran");
    let prompt = format!("together\nread README.md\nread README.md\n{last}\nend\nsay I am done");
    let session = fleet.start_session("claude", &prompt).await;
    let reads = pending(&station, &session, |gates| gates.len() == 2).await;
    station.let_others_sleep().await;
    assert!(!station.processes(&session).await.is_empty());
    assert_eq!(station.agents(&session).await, 1);
    for read in &reads {
        assert_eq!(read["tool"], "Read");
        fleet.decide(read, json!({"decision": "allow"})).await;
    }
    // What is asked for once they are done is alone.
    let last = pending(&station, &session, |gates| {
        gates.len() == 1 && gates[0]["tool"] == "Bash"
    })
    .await;
    station.wait_asleep_at_gate(&session).await;
    fleet.decide(&last[0], json!({"decision": "allow"})).await;
    station.wait_said(&session, "I am done").await;
    was_all_asked_once(&station, &session, 3, "ran\n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_keeps_its_agent_while_another_of_its_message_is_still_to_be_asked() {
    let station = Station::start().await;
    let fleet = &station.fleet;
    let [one, two] = ["one", "two"].map(|token| station.ledger_step(token));
    let prompt = format!("together\n{one}\n{two}\nend\nsay I am done");
    let session = fleet.start_session("claude", &prompt).await;
    let first = fleet.gate(&session).await;
    station.let_others_sleep().await;
    assert!(!station.processes(&session).await.is_empty());
    assert_eq!(station.agents(&session).await, 1);
    fleet.decide(&first, json!({"decision": "allow"})).await;
    let second = pending(&station, &session, |gates| {
        gates.len() == 1 && gates[0]["id"] != first["id"]
    })
    .await;
    station.wait_asleep_at_gate(&session).await;
    assert_eq!(station.ledger(), "one\n");
    fleet.decide(&second[0], json!({"decision": "allow"})).await;
    station.wait_said(&session, "I am done").await;
    was_all_asked_once(&station, &session, 2, "one\ntwo\n").await;
}

async fn was_all_asked_once(station: &Station, session: &str, gates: usize, ledger: &str) {
    assert_eq!(station.ledger(), ledger);
    assert_eq!(station.count(session, "gate.opened").await, gates);
    assert_eq!(station.count(session, "gate.withdrawn").await, 0);
    assert_eq!(station.agents(session).await, 2);
    assert_eq!(station.failures_told(), [""; 0]);
}

/// What waits for a person, once it is as wanted.
async fn pending(
    station: &Station,
    session: &str,
    wanted: impl Fn(&[Value]) -> bool,
) -> Vec<Value> {
    let path = format!("/api/gates?state=pending&session={session}");
    testkit::wait::until("the gates", testkit::fleet::BOUND, async || {
        let gates = station.fleet.try_get(&path).await?;
        let items = gates["items"].as_array().cloned().unwrap_or_default();
        if wanted(&items) {
            Ok(items)
        } else {
            Err(gates.to_string())
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_a_subagent_keeps_its_agent() {
    let station = Station::start().await;
    let fleet = &station.fleet;
    let inner = station.ledger_step("ran");
    let session = fleet
        .start_session("claude", &format!("agentwait {inner}\nsay I am done"))
        .await;
    let gate = fleet.gate(&session).await;
    fleet.decide(&gate, json!({"decision": "allow"})).await;
    let gate = fleet
        .wait_event(&session, "the subagent to ask", |event| {
            event["type"] == "gate.opened" && event["data"]["parent"].is_string()
        })
        .await;
    station.let_others_sleep().await;
    assert!(!station.processes(&session).await.is_empty());
    let pending = fleet.gate(&session).await;
    assert_eq!(pending["id"], gate["data"]["gate"]);
    fleet.decide(&pending, json!({"decision": "allow"})).await;
    station.wait_said(&session, "I am done").await;
    assert_eq!(station.ledger(), "ran\n");
    assert_eq!(station.agents(&session).await, 1);
    assert_eq!(station.count(&session, "gate.withdrawn").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_beside_work_in_the_background_keeps_its_agent() {
    let station = Station::start().await;
    let fleet = &station.fleet;
    let go = station.path("go");
    let command = format!(
        "until [ -e {} ]; do sleep 0.1; done; {}",
        go.display(),
        station.ledger_command("behind")
    );
    let input = json!({"command": command, "run_in_background": true});
    let before = station.ledger_step("before");
    let session = fleet
        .start_session(
            "claude",
            &format!("tool Bash {input}\n{before}\nsay I am done"),
        )
        .await;
    let gate = fleet.gate(&session).await;
    fleet.decide(&gate, json!({"decision": "allow"})).await;
    pending(&station, &session, |gates| {
        gates.len() == 1 && gates[0]["id"] != gate["id"]
    })
    .await;
    station.let_others_sleep().await;
    std::fs::write(&go, "").unwrap();
    station.wait_ledger("behind\n").await;
    assert_eq!(station.agents(&session).await, 1);
    // With it done the agent may go, and the call is asked again as ever.
    station.wait_asleep_at_gate(&session).await;
    let gate = fleet.gate(&session).await;
    fleet.decide(&gate, json!({"decision": "allow"})).await;
    station.wait_said(&session, "I am done").await;
    assert_eq!(station.ledger(), "behind\nbefore\n");
    assert_eq!(station.count(&session, "gate.opened").await, 2);
    assert_eq!(station.count(&session, "gate.withdrawn").await, 0);
}
