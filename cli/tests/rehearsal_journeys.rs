//! The main job with the rehearsal agent, over HTTP, on a whole fleet of real parts. Contracts pinned here:
//! a gate for every tool, nothing runs undecided, deny and answers reach the agent, the human's checkout is never
//! written, and killing any part of ours loses and doubles nothing.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::fleet::{BOUND, Fleet, Options};
use testkit::repository::Repository;
use testkit::wait;

async fn fleet_with(repository: &Repository) -> Fleet {
    let projects = vec![repository.path().to_owned()];
    Fleet::start(Options {
        projects,
        ..Options::default()
    })
    .await
}

fn shop() -> Repository {
    Repository::new("a shop é")
        .file("README.md", "# Shop\n")
        .file("src/till.rs", "fn main() {}\n")
        .commit()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_streams_asks_writes_in_its_own_worktree_and_goes_on() {
    let shop = shop();
    let before = shop.snapshot();
    let fleet = fleet_with(&shop).await;
    let session = fleet
        .start_session(
            "rehearsal",
            "say Good morning\nread README.md\nwrite notes.txt hello\nrun cat notes.txt",
        )
        .await;

    let read = fleet.gate(&session).await;
    assert_eq!(
        (&read["kind"], &read["tool"]),
        (&json!("tool"), &json!("Read"))
    );
    fleet.decide(&read, json!({"decision": "allow"})).await;
    let write = fleet.gate(&session).await;
    assert_eq!(write["tool"], "Write");
    let worktree = fleet.worktree(&session).await;
    assert!(
        !worktree.join("notes.txt").exists(),
        "nothing runs undecided"
    );
    let hash = write["input_hash"].clone();
    fleet
        .decide(&write, json!({"decision": "allow", "input_hash": hash}))
        .await;
    let run = fleet.gate(&session).await;
    assert_eq!(run["tool"], "Bash");
    assert_eq!(
        std::fs::read_to_string(worktree.join("notes.txt")).unwrap(),
        "hello"
    );
    fleet.decide(&run, json!({"decision": "allow"})).await;
    fleet.wait_state(&session, &["idle"]).await;

    let changed = fleet
        .wait_event(&session, "the file change", |event| {
            event["type"] == "file.changed"
        })
        .await;
    assert_eq!(changed["data"]["path"], "notes.txt");
    fleet
        .post(
            &format!("/api/sessions/{session}/messages"),
            json!({"text": "say Once more"}),
        )
        .await;
    fleet
        .wait_event(&session, "the second answer", |event| {
            event["type"] == "message.assistant" && event["data"]["text"] == "Once more"
        })
        .await;
    fleet.wait_state(&session, &["idle"]).await;
    fleet.assert_contiguous(&session).await;
    assert_eq!(
        before.differences(&shop.snapshot()),
        Vec::<String>::new(),
        "the checkout was written"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_reaches_the_agent_word_for_word_and_the_tool_never_runs() {
    let shop = shop();
    let fleet = fleet_with(&shop).await;
    let session = fleet.start_session("rehearsal", "write a.txt no").await;
    let gate = fleet.gate(&session).await;
    fleet
        .decide(
            &gate,
            json!({"decision": "deny", "reason": "Not there, use src/ instead"}),
        )
        .await;
    let finished = fleet
        .wait_event(&session, "the tool to finish", |event| {
            event["type"] == "tool.finished"
        })
        .await;
    assert_eq!(finished["data"]["outcome"], "denied");
    assert!(
        finished["data"]["output"]
            .as_str()
            .unwrap()
            .contains("Not there, use src/ instead")
    );
    fleet.wait_state(&session, &["idle"]).await;
    assert!(!fleet.worktree(&session).await.join("a.txt").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_input_runs_instead_and_an_answer_is_heard() {
    let shop = shop();
    let fleet = fleet_with(&shop).await;
    let session = fleet
        .start_session(
            "rehearsal",
            "write a.txt one\nask Which database? | SQLite | Postgres",
        )
        .await;
    let gate = fleet.gate(&session).await;
    let mut input = gate["input"].clone();
    input["content"] = json!("two");
    fleet
        .decide(&gate, json!({"decision": "allow", "input": input}))
        .await;
    let question = fleet.gate(&session).await;
    assert_eq!(question["kind"], "question");
    let text = question["questions"][0]["question"].as_str().unwrap();
    fleet
        .decide(
            &question,
            json!({"decision": "answer", "answers": {text: "Neither, use a file"}}),
        )
        .await;
    fleet.wait_state(&session, &["idle"]).await;
    let worktree = fleet.worktree(&session).await;
    assert_eq!(
        std::fs::read_to_string(worktree.join("a.txt")).unwrap(),
        "two"
    );
    assert!(fleet.said(&session).await.contains("Neither, use a file"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_the_turn_and_the_agent_lives_on() {
    let shop = shop();
    let fleet = fleet_with(&shop).await;
    let session = fleet.start_session("rehearsal", "stream 100000 20").await;
    fleet.wait_state(&session, &["working"]).await;
    fleet
        .wait_event(&session, "the message to be taken up", |event| {
            event["type"] == "message.delivered"
        })
        .await;
    fleet
        .post(&format!("/api/sessions/{session}/interrupt"), json!({}))
        .await;
    let finished = fleet
        .wait_event(&session, "the turn to end", |event| {
            event["type"] == "turn.finished"
        })
        .await;
    assert_eq!(finished["data"]["outcome"], "interrupted");
    fleet
        .post(
            &format!("/api/sessions/{session}/messages"),
            json!({"text": "say Still here"}),
        )
        .await;
    fleet
        .wait_event(&session, "the next answer", |event| {
            event["data"]["text"] == "Still here"
        })
        .await;
    let ready = fleet.events(&session).await;
    let starts = ready
        .iter()
        .filter(|event| event["type"] == "agent.ready" && event["data"]["generation"] != 1);
    assert_eq!(starts.count(), 0, "it is still the first agent");
    fleet
        .post(&format!("/api/sessions/{session}/stop"), json!({}))
        .await;
    fleet.wait_state(&session, &["ended"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_coordinator_comes_back_with_the_same_pending_gate() {
    let shop = shop();
    let fleet = fleet_with(&shop).await;
    let session = fleet.start_session("rehearsal", "write a.txt one").await;
    let gate = fleet.gate(&session).await;
    fleet.kill("coordinator").await;
    let again = fleet.gate(&session).await;
    assert_eq!(again["id"], gate["id"]);
    fleet.decide(&again, json!({"decision": "allow"})).await;
    fleet.wait_state(&session, &["idle"]).await;
    assert!(fleet.worktree(&session).await.join("a.txt").exists());
    fleet.assert_contiguous(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_runner_finds_shim_and_agent_again_and_loses_no_line() {
    let shop = shop();
    let fleet = fleet_with(&shop).await;
    let session = fleet
        .start_session(
            "rehearsal",
            "stream 400 5\nwrite a.txt one\nrun echo ran >> ledger.txt",
        )
        .await;
    fleet
        .wait_event(&session, "the message to be taken up", |event| {
            event["type"] == "message.delivered"
        })
        .await;
    fleet.kill("runner").await;
    let gate = fleet.gate(&session).await;
    fleet.kill("runner").await;
    let again = fleet.gate(&session).await;
    assert_eq!(again["id"], gate["id"]);
    fleet.decide(&again, json!({"decision": "allow"})).await;
    let run = fleet.gate(&session).await;
    fleet.decide(&run, json!({"decision": "allow"})).await;
    fleet.wait_state(&session, &["idle"]).await;
    fleet.assert_contiguous(&session).await;
    let events = fleet.events(&session).await;
    let of = |tag: &str| events.iter().filter(|event| event["type"] == tag).count();
    assert_eq!(
        (of("agent.exited"), of("gate.opened"), of("tool.finished")),
        (0, 2, 2)
    );
    let streamed = events
        .iter()
        .find(|event| event["type"] == "message.assistant")
        .unwrap();
    assert_eq!(
        streamed["data"]["text"]
            .as_str()
            .unwrap()
            .split_whitespace()
            .count(),
        400
    );
    let ledger = fleet.worktree(&session).await.join("ledger.txt");
    assert_eq!(
        std::fs::read_to_string(ledger).unwrap(),
        "ran\n",
        "a tool runs once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_nats_server_delays_and_loses_nothing() {
    let shop = shop();
    let fleet = fleet_with(&shop).await;
    let session = fleet
        .start_session("rehearsal", "write a.txt one\nwrite b.txt two")
        .await;
    let gate = fleet.gate(&session).await;
    fleet.kill("nats").await;
    let again = fleet.gate(&session).await;
    assert_eq!(again["id"], gate["id"]);
    wait::until("the decision to be taken", BOUND, async || {
        let path = format!("/api/gates/{}/decision", again["id"].as_str().unwrap());
        let body = Some(json!({"decision": "allow"}));
        let (status, answer) = fleet.request(reqwest::Method::POST, &path, body).await;
        if status.is_success() {
            Ok(())
        } else {
            Err(format!("{status}: {answer}"))
        }
    })
    .await;
    fleet.allow_all(&session).await;
    assert!(fleet.worktree(&session).await.join("b.txt").exists());
    fleet.assert_contiguous(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_projection_is_built_again_the_same() {
    let shop = shop();
    let mut fleet = fleet_with(&shop).await;
    let done = fleet
        .start_session("rehearsal", "say Done\nrun echo hello")
        .await;
    fleet.allow_all(&done).await;
    let waiting = fleet.start_session("rehearsal", "write a.txt one").await;
    let gate = fleet.gate(&waiting).await;
    let seen = (
        fleet.events(&done).await,
        fleet.events(&waiting).await,
        fleet.get("/api/sessions").await,
    );
    fleet
        .restart(|data| {
            for name in ["projection.db", "projection.db-wal", "projection.db-shm"] {
                let path = data.join("coordinator").join(name);
                assert!(
                    name != "projection.db" || path.exists(),
                    "no projection at {}",
                    path.display()
                );
                std::fs::remove_file(path).ok();
            }
        })
        .await;
    let again = fleet.gate(&waiting).await;
    assert_eq!(again["id"], gate["id"]);
    assert_eq!(fleet.events(&done).await, seen.0);
    assert_eq!(fleet.events(&waiting).await, seen.1);
    let titles = |sessions: &Value| {
        let items = sessions["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|item| (item["id"].clone(), item["state"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(titles(&fleet.get("/api/sessions").await), titles(&seen.2));
    fleet.decide(&again, json!({"decision": "allow"})).await;
    fleet.wait_state(&waiting, &["idle"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_crashes_is_reported_and_a_message_brings_the_conversation_back() {
    let shop = shop();
    let fleet = fleet_with(&shop).await;
    let session = fleet.start_session("rehearsal", "say one\ncrash").await;
    fleet.wait_state(&session, &["asleep"]).await;
    let exited = fleet
        .wait_event(&session, "the agent's exit", |event| {
            event["type"] == "agent.exited"
        })
        .await;
    assert!(
        exited["data"]["reason"]
            .as_str()
            .unwrap()
            .contains("signal 9"),
        "{exited}"
    );
    fleet
        .post(
            &format!("/api/sessions/{session}/messages"),
            json!({"text": "say two"}),
        )
        .await;
    fleet
        .wait_event(&session, "the answer", |event| {
            event["data"]["text"] == "two"
        })
        .await;
    fleet.assert_contiguous(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_misbehaves_loses_nothing_and_is_explained() {
    let shop = shop();
    let fleet = fleet_with(&shop).await;
    let session = fleet
        .start_session("rehearsal", "flood 3000000\nsay after the flood")
        .await;
    fleet.wait_state(&session, &["idle"]).await;
    fleet
        .wait_event(&session, "the text", |event| {
            event["data"]["text"] == "after the flood"
        })
        .await;

    fleet
        .post(
            &format!("/api/sessions/{session}/messages"),
            json!({"text": "half"}),
        )
        .await;
    let exited = fleet
        .wait_event(&session, "the agent's exit", |event| {
            event["type"] == "agent.exited"
        })
        .await;
    assert!(
        exited["data"]["reason"]
            .as_str()
            .unwrap()
            .contains("in the middle of a line"),
        "{exited}"
    );

    fleet
        .post(
            &format!("/api/sessions/{session}/messages"),
            json!({"text": "longline 20000000\nsay still here"}),
        )
        .await;
    fleet
        .wait_event(&session, "the text", |event| {
            event["data"]["text"] == "still here"
        })
        .await;
    fleet.assert_contiguous(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_agent_and_an_empty_repository_are_refused_with_a_hint() {
    let (empty, shop) = (Repository::new("empty"), shop());
    let projects = vec![empty.path().to_owned(), shop.path().to_owned()];
    let agents = "[agents.ghost]\ncommand = \"/nowhere/ghost\"\n".to_owned();
    let fleet = Fleet::start(Options {
        projects,
        agents,
        ..Options::default()
    })
    .await;
    let first = fleet.project().await;
    let projects = fleet.get("/api/projects").await;
    let ids: Vec<&str> = projects["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["id"].as_str())
        .collect();
    let other = ids.iter().copied().find(|id| *id != first).unwrap();
    let (empty, good) = if first.contains("empty") {
        (first.as_str(), other)
    } else {
        (other, first.as_str())
    };
    for (body, words) in [
        (json!({"project": empty, "agent": "rehearsal"}), "commit"),
        (
            json!({"project": "nothing", "agent": "rehearsal"}),
            "project",
        ),
        (json!({"project": good, "agent": "ghost"}), "ghost"),
        (json!({"project": good, "agent": "nobody"}), "nobody"),
    ] {
        let (status, answer) = fleet
            .request(reqwest::Method::POST, "/api/sessions", Some(body))
            .await;
        assert!(status.is_client_error(), "{status}: {answer}");
        let said = format!("{} {}", answer["error"]["message"], answer["error"]["hint"]);
        assert!(said.contains(words), "{said}");
        assert!(answer["error"]["hint"].is_string(), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_decisions_at_once_through_two_coordinators_have_one_winner() {
    let shop = shop();
    let fleet = fleet_with(&shop).await;
    let other = fleet.another_coordinator().await;
    let session = fleet
        .start_session("rehearsal", "run echo ran >> ledger.txt")
        .await;
    let gate = fleet.gate(&session).await;
    let path = format!("/api/gates/{}/decision", gate["id"].as_str().unwrap());
    wait::until(
        "the other coordinator to know the gate",
        BOUND,
        async || {
            let gates = fleet
                .request_at(
                    &other.url,
                    reqwest::Method::GET,
                    "/api/gates?state=pending",
                    None,
                )
                .await;
            if gates.1["items"][0]["id"] == gate["id"] {
                Ok(())
            } else {
                Err(gates.1.to_string())
            }
        },
    )
    .await;
    let allow = || Some(json!({"decision": "allow"}));
    let mine = fleet.url();
    let (one, two) = tokio::join!(
        fleet.request_at(&mine, reqwest::Method::POST, &path, allow()),
        fleet.request_at(&other.url, reqwest::Method::POST, &path, allow()),
    );
    let mut statuses = [one.0.as_u16(), two.0.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{one:?} {two:?}");
    let loser = if one.0 == 409 { one.1 } else { two.1 };
    assert_eq!(loser["error"]["code"], "already_decided");
    assert!(
        loser["error"]["message"].as_str().unwrap().contains("Ada"),
        "{loser}"
    );
    fleet.wait_state(&session, &["idle"]).await;
    let ledger = fleet.worktree(&session).await.join("ledger.txt");
    assert_eq!(std::fs::read_to_string(ledger).unwrap(), "ran\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_nats_client_reads_what_is_going_on() {
    let shop = shop();
    let fleet = fleet_with(&shop).await;
    let ready = fleet.ready();
    let credentials = ready["nats_creds"].as_str().unwrap().to_owned();
    let client = async_nats::ConnectOptions::with_credentials_file(credentials)
        .await
        .unwrap()
        .custom_inbox_prefix("_INBOX_observer")
        .connect(ready["nats_url"].as_str().unwrap())
        .await
        .unwrap();
    let mut everything = client.subscribe("fleet.>").await.unwrap();
    client.flush().await.unwrap();
    let session = fleet.start_session("rehearsal", "run echo hello").await;
    let mut lines = Vec::new();
    let seen = tokio::time::timeout(Duration::from_secs(30), async {
        while let Some(message) = futures::StreamExt::next(&mut everything).await {
            let body: Value = serde_json::from_slice(&message.payload).unwrap();
            lines.push((message.subject.to_string(), body.clone()));
            if body["type"] == "gate.opened" {
                return body;
            }
        }
        Value::Null
    })
    .await
    .unwrap();
    assert_eq!(seen["session"], session.as_str());
    assert_eq!(seen["data"]["input"]["command"], "echo hello");
    assert!(
        lines
            .iter()
            .any(|(subject, _)| subject.contains(&format!("{session}.command.session.start")))
    );
    assert!(
        lines
            .iter()
            .all(|(_, body)| body["type"].is_string() && body["at"].is_string())
    );
}
