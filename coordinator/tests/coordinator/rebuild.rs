//! NATS is the memory: a projection that is gone, late or fed in any order comes out the same.

use nats::event::State;
use nats::ids::GateId;
use serde_json::{Value, json};
use testkit::wait;

use crate::support::{
    BOUND, Fleet, Person, carried_out, decided, gate_opened, next_command, said, state,
};

/// Everything that can be asked, without the moments at which somebody was heard.
async fn everything(person: &Person) -> Value {
    // Reports of hosts are no part of the projection: a coordinator that has just started hears them a moment later.
    person
        .wait_for("/api/projects", "the host's projects", |projects| {
            projects["items"][0].is_object()
        })
        .await;
    let sessions = person.get("/api/sessions").await;
    let mut all = json!({
        "sessions": sessions,
        "gates": person.get("/api/gates").await,
        "audit": person.get("/api/audit").await,
        "projects": person.get("/api/projects").await["items"].as_array().unwrap().len(),
    });
    for row in sessions["items"].as_array().unwrap() {
        let id = row["id"].as_str().unwrap();
        all[id] = person.get(&format!("/api/sessions/{id}/events")).await;
    }
    all
}

#[tokio::test]
async fn a_deleted_projection_is_rebuilt_to_the_same_answers() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let mut host = fleet.host("vps-1").await;
    let ada = coordinator.admin().await;
    ada.wait_for("/api/hosts", "the host", |hosts| {
        hosts["items"][0]["state"] == "online"
    })
    .await;
    let (one, two) = (ada.start_session().await, ada.start_session().await);
    let (gate, other) = (GateId::new(), GateId::new());
    host.open(one).await;
    host.open(two).await;
    host.tell(one, [gate_opened(gate), state(State::Waiting)])
        .await;
    host.tell(two, [said("ü\n\"quoted\""), gate_opened(other)])
        .await;
    let pending = "/api/gates?state=pending";
    ada.wait_for(pending, "two gates", |gates| {
        gates["items"].as_array().unwrap().len() == 2
    })
    .await;
    let (status, _) = ada
        .post(
            &format!("/api/gates/{gate}/decision"),
            json!({"decision": "allow"}),
        )
        .await;
    assert_eq!(status, 200);
    let mut feed = host.commands();
    let decision = loop {
        let order = next_command(&mut feed).await;
        if let Some(decide) = decided(&order) {
            break decide.decision.clone();
        }
    };
    host.tell(one, carried_out(gate, decision)).await;
    host.tell(one, [state(State::Working)]).await;
    ada.wait_for(&format!("/api/gates/{gate}"), "its end", |row| {
        row["receipts"]["finished_at"].is_string()
    })
    .await;
    ada.wait_for(&format!("/api/sessions/{one}"), "the last event", |row| {
        row["state"] == "working"
    })
    .await;
    let before = everything(&ada).await;

    let data = coordinator.data.clone();
    coordinator.stop().await;
    std::fs::remove_file(&data).unwrap();
    let again = fleet.coordinator("a").await;
    assert_eq!(everything(&ada.at(&again)).await, before);

    // And with the file in place.
    again.stop().await;
    let third = fleet.coordinator("a").await;
    assert_eq!(everything(&ada.at(&third)).await, before);
    // And another coordinator says the same.
    let fourth = fleet.coordinator("b").await;
    assert_eq!(everything(&ada.at(&fourth)).await, before);
}

#[tokio::test]
async fn events_of_a_host_or_epoch_that_does_not_own_the_session_are_dropped_and_counted() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let mut owner = fleet.host("vps-1").await;
    let ada = coordinator.admin().await;
    ada.wait_for("/api/hosts", "the host", |hosts| {
        hosts["items"][0]["state"] == "online"
    })
    .await;
    let session = ada.start_session().await;
    let mut thief = fleet.host("vps-2").await;
    thief.tell(session, [gate_opened(GateId::new())]).await;
    let stale = owner.row(session, 7, 1, said("from the past"));
    let (_, sequence, stored) = owner
        .client
        .publish_events(&owner.name, session, 0, &[stale], false)
        .await;
    stored.unwrap();
    let row = owner.row(session, 1, 1, said("the first"));
    let (_, _, stored) = owner
        .client
        .publish_events(&owner.name, session, sequence, &[row], false)
        .await;
    stored.unwrap();
    let path = format!("/api/sessions/{session}");
    ada.wait_for(&path, "the owner's event", |row| row["last_seq"] == 1)
        .await;
    let events = ada.get(&format!("{path}/events")).await;
    assert_eq!(events["items"][0]["data"]["text"], "the first");
    assert_eq!(
        ada.get("/api/gates?state=pending").await["items"],
        json!([])
    );
    wait::until("the count", BOUND, async || {
        let metrics = ada
            .http
            .get(format!("{}/metrics", ada.url))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        if metrics.contains("dropped_total{why=\"foreign\"} 2") {
            Ok(())
        } else {
            Err(metrics)
        }
    })
    .await;
    owner
        .tell(nats::ids::SessionId::new(), [said("of no session")])
        .await;
}

#[tokio::test]
async fn an_event_of_a_newer_runner_is_kept_whole_and_passed_on() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let host = fleet.host("vps-1").await;
    let ada = coordinator.admin().await;
    ada.wait_for("/api/hosts", "the host", |hosts| {
        hosts["items"][0]["state"] == "online"
    })
    .await;
    let session = ada.start_session().await;
    let mut row = host.row(session, 1, 1, said("new"));
    let mut body: Value = serde_json::from_slice(&row.body).unwrap();
    body["data"]["mood"] = json!("bright");
    row.body = serde_json::to_vec_pretty(&body).unwrap().into();
    let mut unknown = host.row(session, 1, 2, said(""));
    unknown.event_type = "session.teleported".to_owned();
    body["type"] = json!("session.teleported");
    body["data"] = json!({"to": [1, 2]});
    body["seq"] = json!(2);
    unknown.body = serde_json::to_vec(&body).unwrap().into();
    let (stored, ..) = host
        .client
        .publish_events(&host.name, session, 0, &[row, unknown], false)
        .await;
    assert_eq!(stored, 2);
    let path = format!("/api/sessions/{session}");
    ada.wait_for(&path, "both events", |row| row["last_seq"] == 2)
        .await;
    let events = ada.get(&format!("{path}/events")).await;
    assert_eq!(events["items"][0]["data"]["mood"], "bright");
    assert_eq!(
        (&events["items"][1]["type"], &events["items"][1]["data"]),
        (&json!("session.teleported"), &json!({"to": [1, 2]}))
    );
}

#[tokio::test]
async fn a_projection_of_another_nats_is_thrown_away() {
    let (old, new) = (Fleet::start().await, Fleet::start().await);
    let coordinator = old.coordinator("a").await;
    let ada = coordinator.admin().await;
    let mut host = old.host("vps-1").await;
    ada.wait_for("/api/hosts", "the host", |hosts| {
        hosts["items"][0]["state"] == "online"
    })
    .await;
    let session = ada.start_session().await;
    host.tell(session, (0..20).map(|n| said(&n.to_string())))
        .await;
    ada.wait_for(&format!("/api/sessions/{session}"), "its events", |row| {
        row["last_seq"] == 20
    })
    .await;
    let data = coordinator.data.clone();
    coordinator.stop().await;
    std::fs::create_dir_all(new.folder.path().join("a")).unwrap();
    std::fs::copy(&data, new.folder.path().join("a/projection.db")).unwrap();

    let coordinator = new.coordinator("a").await;
    let bob = coordinator.admin().await;
    assert_eq!(bob.get("/api/sessions").await["items"], json!([]));
    // What this coordinator has just recorded is on its way to it.
    bob.wait_for(
        "/api/audit",
        "nothing but bob's account and token",
        |audit| audit["items"].as_array().unwrap().len() == 2,
    )
    .await;
}
