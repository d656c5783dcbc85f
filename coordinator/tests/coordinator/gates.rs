//! Deciding, once and for all.

use std::collections::BTreeMap;

use nats::Timestamp;
use nats::audit::{DecisionRecord, Origin};
use nats::client::Recorded;
use nats::event::{
    Answer, Choice, Decision, Event, GateKind, GateOpened, GateWithdrawn, SessionEnded, Verdict,
};
use nats::ids::{AuditId, GateId, SessionId, UserId};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Coordinator, Fleet, Host, Person, carried_out, decided, gate_opened, is, next_command,
};

/// A session with one pending gate.
async fn waiting(fleet: &Fleet, coordinator: &Coordinator) -> (Person, Host, SessionId, GateId) {
    let mut host = fleet.host("vps-1").await;
    let ada = coordinator.admin().await;
    ada.wait_for("/api/hosts", "the host", |hosts| {
        !hosts["items"].as_array().unwrap().is_empty()
    })
    .await;
    let session = ada.start_session().await;
    let gate = GateId::new();
    host.open(session).await;
    host.tell(session, [gate_opened(gate)]).await;
    pending(&ada, gate).await;
    (ada, host, session, gate)
}

async fn pending(person: &Person, gate: GateId) -> Value {
    let gates = person
        .wait_for("/api/gates?state=pending", "the pending gate", |gates| {
            gates["items"]
                .as_array()
                .unwrap()
                .iter()
                .any(|row| row["id"] == gate.to_string())
        })
        .await;
    let rows = gates["items"].as_array().unwrap();
    rows.iter()
        .find(|row| row["id"] == gate.to_string())
        .unwrap()
        .clone()
}

fn decision(gate: GateId) -> String {
    format!("/api/gates/{gate}/decision")
}

#[tokio::test]
async fn a_decision_goes_from_the_browser_to_the_host_and_its_receipts_come_back() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let (ada, mut host, session, gate) = waiting(&fleet, &coordinator).await;
    let row = pending(&ada, gate).await;
    assert_eq!(
        (&row["summary"], &row["project_name"], &row["branch"]),
        (
            &json!("Run a command in shop"),
            &json!("shop"),
            &json!("flotilla/7f3a")
        )
    );
    assert_eq!(
        (&row["host"], &row["input"]),
        (&json!("vps-1"), &json!({"command": "ls"}))
    );

    let (status, answer) = ada
        .post(
            &decision(gate),
            json!({"decision": "allow", "input_hash": row["input_hash"]}),
        )
        .await;
    assert_eq!(
        (status, &answer["state"], &answer["decision"]["by_name"]),
        (200, &json!("decided"), &json!("Ada"))
    );
    assert!(
        answer["receipts"]["decided_at"].is_string()
            && answer["receipts"]["delivered_at"].is_null()
    );

    let mut feed = host.commands();
    assert!(is(&next_command(&mut feed).await, "session.start"));
    let order = next_command(&mut feed).await;
    assert_eq!((order.id, order.epoch), (gate.command(), 1));
    let decide = decided(&order).unwrap().clone();
    assert_eq!(
        (decide.gate, decide.decision.verdict),
        (gate, Verdict::Allow)
    );

    host.tell(session, carried_out(gate, decide.decision)).await;
    let path = format!("/api/gates/{gate}");
    let done = ada
        .wait_for(&path, "the tool's end", |row| {
            row["receipts"]["finished_at"].is_string()
        })
        .await;
    assert!(
        done["receipts"]["delivered_at"].is_string() && done["receipts"]["released_at"].is_string()
    );
    assert_eq!(done["receipts"]["outcome"], "succeeded");
    let audit = ada.get("/api/audit").await;
    assert_eq!(audit["items"][0]["action"], "decision");
    assert_eq!(audit["items"][0]["by_name"], "Ada");
}

#[tokio::test]
async fn a_decision_that_is_sent_again_under_its_id_is_the_same_decision() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let (ada, _host, _session, gate) = waiting(&fleet, &coordinator).await;
    let body = json!({"decision": "deny", "reason": "not today", "id": AuditId::new()});
    let (status, first) = ada.post(&decision(gate), body.clone()).await;
    assert_eq!(status, 200, "{first}");
    // Twice at once as well: a client that hung up, and the same client again.
    let path = decision(gate);
    let (again, at_once) =
        tokio::join!(ada.post(&path, body.clone()), ada.post(&path, body.clone()));
    for (status, answer) in [again, at_once] {
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["decision"], first["decision"]);
    }
    // Whoever says something else under that id, or the same under another, has not decided.
    for other in [
        json!({"decision": "allow", "id": body["id"]}),
        json!({"decision": "deny", "reason": "not today", "id": AuditId::new()}),
        json!({"decision": "deny", "reason": "not today"}),
    ] {
        let (status, answer) = ada.post(&path, other).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (409, &json!("already_decided"))
        );
    }
    let audit = ada.get("/api/audit").await;
    let decisions = audit["items"].as_array().unwrap();
    let decisions = decisions.iter().filter(|row| row["action"] == "decision");
    assert_eq!(decisions.count(), 1, "{audit}");
}

#[tokio::test]
async fn a_decision_that_waits_for_nats_is_recorded_though_its_client_hung_up() {
    let mut fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let (ada, _host, _session, gate) = waiting(&fleet, &coordinator).await;
    fleet.nats.kill();
    let waits = async || {
        let metrics = ada.send(Method::GET, "/metrics", None).await;
        metrics.text().await.unwrap()
    };
    let posted = tokio::spawn({
        let (ada, path) = (ada.clone(), decision(gate));
        async move { ada.post(&path, json!({"decision": "allow"})).await }
    });
    testkit::wait::until("the decision to wait", crate::support::BOUND, async || {
        let text = waits().await;
        if text.contains("flotilla_writes_waiting 1\n") {
            Ok(())
        } else {
            Err(text)
        }
    })
    .await;
    posted.abort();
    fleet.nats.restart().await;
    let path = format!("/api/gates/{gate}");
    ada.wait_for(&path, "the decision", |row| row["state"] == "decided")
        .await;
}

#[tokio::test]
async fn two_decisions_at_once_through_two_coordinators_have_one_winner_and_the_other_is_told_who()
{
    let fleet = Fleet::start().await;
    let (one, two) = (fleet.coordinator("a").await, fleet.coordinator("b").await);
    let (ada, mut host, session, _) = waiting(&fleet, &one).await;
    let there = ada.at(&two);
    for _ in 0..5 {
        let gate = GateId::new();
        host.tell(session, [gate_opened(gate)]).await;
        pending(&ada, gate).await;
        pending(&there, gate).await;
        let path = decision(gate);
        let (first, second) = tokio::join!(
            ada.post(&path, json!({"decision": "allow"})),
            there.post(&path, json!({"decision": "deny", "reason": "no"})),
        );
        let (winner, loser) = if first.0 == 200 {
            (&first, &second)
        } else {
            (&second, &first)
        };
        assert_eq!((winner.0, loser.0), (200, 409), "{first:?} {second:?}");
        assert_eq!(loser.1["error"]["code"], "already_decided");
        assert_eq!(loser.1["error"]["decision"], winner.1["decision"]);
        assert!(
            loser.1["error"]["message"]
                .as_str()
                .unwrap()
                .starts_with("Ada has already ")
        );
    }
    // Each gate reached the host once.
    let mut feed = host.commands();
    assert!(is(&next_command(&mut feed).await, "session.start"));
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..5 {
        let order = next_command(&mut feed).await;
        assert!(seen.insert(order.id), "a decision came twice");
    }
}

#[tokio::test]
async fn a_decision_whose_coordinator_died_before_the_command_is_finished_by_another() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let (ada, mut host, session, gate) = waiting(&fleet, &coordinator).await;
    let mut feed = host.commands();
    assert!(is(&next_command(&mut feed).await, "session.start"));
    // What a coordinator leaves behind that dies between the record and the command.
    let row = pending(&ada, gate).await;
    let record = DecisionRecord {
        v: 1,
        id: AuditId::new(),
        gate,
        session,
        host: host.name.clone(),
        epoch: 1,
        tool: "Bash".to_owned(),
        summary: "Run a command in shop".to_owned(),
        decision: Decision {
            verdict: Verdict::Deny,
            reason: Some("not today".to_owned()),
            input: None,
            answers: None,
            input_hash: row["input_hash"].as_str().unwrap().to_owned(),
            by: UserId::new(),
            by_name: "Bob".to_owned(),
            at: Timestamp::now(),
        },
        from: Origin::default(),
    };
    assert_eq!(
        host.client.record_decision(&record).await.unwrap(),
        Recorded::First
    );

    let order = next_command(&mut feed).await;
    assert_eq!(order.id, gate.command());
    let decision = decided(&order).unwrap().decision.clone();
    assert_eq!(decision.reason.as_deref(), Some("not today"));
    host.tell(session, carried_out(gate, decision)).await;
    let settled = ada
        .wait_for(&format!("/api/gates/{gate}"), "the receipt", |row| {
            row["receipts"]["delivered_at"].is_string()
        })
        .await;
    assert_eq!(settled["decision"]["by_name"], "Bob");
}

#[tokio::test]
async fn a_session_whose_start_was_never_sent_is_started_by_the_reconciler() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let host = fleet.host("vps-1").await;
    let ada = coordinator.admin().await;
    ada.wait_for("/api/hosts", "the host", |hosts| {
        !hosts["items"].as_array().unwrap().is_empty()
    })
    .await;
    let record = nats::record::SessionRecord {
        session: SessionId::new(),
        host: host.name.clone(),
        epoch: 1,
        project: "prj-shop".to_owned(),
        agent: "rehearsal".to_owned(),
        title: "left behind".to_owned(),
        created_at: Timestamp::now(),
        created_by: UserId::new(),
        base: None,
        labels: BTreeMap::new(),
        first_seq: 1,
        prompt: None,
        prompt_id: None,
        imported: None,
        placement: nats::record::Placement::default(),
    };
    let records = host.client.records(nats::stream::Bucket::Sessions);
    records
        .create(&record.session.to_string(), &record)
        .await
        .unwrap();
    let order = next_command(&mut host.commands()).await;
    assert_eq!(
        (order.id, order.session),
        (record.session.start_command(), record.session)
    );
    assert!(is(&order, "session.start"));
}

#[tokio::test]
async fn a_withdrawn_gate_is_not_decided_and_one_of_an_ended_session_neither() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let (ada, mut host, session, gate) = waiting(&fleet, &coordinator).await;
    let withdrawal = GateWithdrawn {
        gate,
        reason: "interrupted".to_owned(),
        can_continue: false,
    };
    let other = GateId::new();
    let ended = SessionEnded {
        reason: "stopped by Ada".to_owned(),
        clean: true,
    };
    host.tell(
        session,
        [Event::from(withdrawal), gate_opened(other), ended.into()],
    )
    .await;
    let path = format!("/api/sessions/{session}");
    let row = ada
        .wait_for(&path, "the end", |row| row["state"] == "ended")
        .await;
    assert_eq!(row["pending_gates"], 0);
    for (gate, reason) in [
        (gate, "interrupted"),
        (other, "the session ended: stopped by Ada"),
    ] {
        let (status, body) = ada
            .post(&decision(gate), json!({"decision": "allow"}))
            .await;
        assert_eq!((status, &body["error"]["code"]), (409, &json!("withdrawn")));
        assert!(
            body["error"]["message"].as_str().unwrap().contains(reason),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_decision_must_fit_its_gate() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let (ada, mut host, session, tool) = waiting(&fleet, &coordinator).await;
    let question = GateId::new();
    let Event::GateOpened(mut asked) = gate_opened(question) else {
        unreachable!()
    };
    asked.kind = GateKind::Question;
    asked.questions = vec![Choice {
        question: "Which colour?".to_owned(),
        header: "Colour".to_owned(),
        options: vec![Answer {
            label: "red".to_owned(),
            description: String::new(),
        }],
        several: false,
    }];
    host.tell(session, [Event::from(GateOpened { ..asked })])
        .await;
    pending(&ada, question).await;

    for (gate, body, status, code) in [
        (
            tool,
            json!({"decision": "allow", "input_hash": "0".repeat(64)}),
            409,
            "input_changed",
        ),
        (
            tool,
            json!({"decision": "answer", "answers": {"Which colour?": "red"}}),
            422,
            "invalid_body",
        ),
        (
            tool,
            json!({"decision": "deny", "input": {"command": "rm"}}),
            422,
            "invalid_body",
        ),
        (
            tool,
            json!({"decision": "allow", "input": "rm"}),
            422,
            "invalid_body",
        ),
        (tool, json!({"decision": "perhaps"}), 422, "invalid_body"),
        (question, json!({"decision": "allow"}), 422, "invalid_body"),
        (question, json!({"decision": "answer"}), 422, "invalid_body"),
        (
            question,
            json!({"decision": "answer", "answers": {}}),
            422,
            "invalid_body",
        ),
        (
            question,
            json!({"decision": "answer", "answers": {"Which number?": "1"}}),
            422,
            "invalid_body",
        ),
        (
            question,
            json!({"decision": "answer", "answers": {"Which colour?": 7}}),
            422,
            "invalid_body",
        ),
    ] {
        let (seen, answer) = ada.post(&decision(gate), body.clone()).await;
        assert_eq!(
            (seen, &answer["error"]["code"]),
            (status, &json!(code)),
            "{body}: {answer}"
        );
        assert!(!answer["error"]["message"].as_str().unwrap().is_empty());
    }
    let (status, answer) = ada
        .post(
            &decision(question),
            json!({"decision": "answer", "answers": {"Which colour?": ["red", "a warm one"]}}),
        )
        .await;
    assert_eq!(
        (status, &answer["decision"]["verdict"]),
        (200, &json!("answer")),
        "{answer}"
    );
    let edited = json!({"decision": "allow", "input": {"command": "ls -l"}});
    let (status, answer) = ada.post(&decision(tool), edited).await;
    assert_eq!(
        (status, &answer["decision"]["input"]["command"]),
        (200, &json!("ls -l"))
    );
    let (status, answer) = ada.post(&decision(tool), json!({"decision": "deny"})).await;
    assert_eq!(
        (status, &answer["error"]["decision"]["verdict"]),
        (409, &json!("allow"))
    );
}

#[tokio::test]
async fn what_was_too_long_to_travel_is_shown_whole_before_it_is_decided() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let (ada, host, session, _) = waiting(&fleet, &coordinator).await;
    let gate = GateId::new();
    let Event::GateOpened(mut asked) = gate_opened(gate) else {
        unreachable!()
    };
    asked.input = json!({"command": "x".repeat(400_000)});
    asked.input_hash = nats::canonical::input_hash(&asked.input);
    let whole = serde_json::to_vec(&asked).unwrap();
    let reference = host
        .client
        .put_object(&host.name, "events/1.json", &whole)
        .await
        .unwrap();
    asked.input = json!({"command": "xxx\n… more"});
    let mut row = host.row(session, 1, 4, Event::from(asked));
    let mut body: Value = serde_json::from_slice(&row.body).unwrap();
    body["object"] = serde_json::to_value(&reference).unwrap();
    row.body = serde_json::to_vec(&body).unwrap().into();
    let last = host
        .client
        .last_event(&host.name, session)
        .await
        .unwrap()
        .unwrap();
    let (_, sequence, stored) = host
        .client
        .publish_events(&host.name, session, last.stream_sequence, &[row], false)
        .await;
    stored.unwrap();
    assert_eq!(pending(&ada, gate).await["truncated"], true);
    let shown = ada.get(&format!("/api/gates/{gate}")).await;
    assert_eq!(
        (
            &shown["truncated"],
            shown["input"]["command"].as_str().unwrap().len()
        ),
        (&json!(false), 400_000)
    );
    let event = ada.get(&format!("/api/sessions/{session}/events/4")).await;
    assert_eq!(
        event["data"]["input"]["command"].as_str().unwrap().len(),
        400_000
    );

    // A host that keeps something else than it asked for is not believed.
    let liar = GateId::new();
    body["seq"] = json!(5);
    body["data"]["gate"] = json!(liar);
    let mut row = host.row(session, 1, 5, gate_opened(liar));
    row.body = serde_json::to_vec(&body).unwrap().into();
    let (.., stored) = host
        .client
        .publish_events(&host.name, session, sequence, &[row], false)
        .await;
    stored.unwrap();
    pending(&ada, liar).await;
    let response = ada
        .send(reqwest::Method::GET, &format!("/api/gates/{liar}"), None)
        .await;
    assert_eq!(response.status().as_u16(), 502);
}
