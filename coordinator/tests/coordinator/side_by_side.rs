//! Two coordinators on one NATS: what one has shown, the other knows.

use nats::event::State;
use nats::ids::{GateId, SessionId};
use serde_json::json;

use crate::support::{Fleet, PASSWORD, SETUP_TOKEN, Tab, gate_opened, running, state};

#[tokio::test]
async fn what_is_stored_is_never_unknown_to_a_coordinator_that_is_a_moment_behind() {
    let fleet = Fleet::start().await;
    let (_coordinator, ada, mut host, session) = running(&fleet).await;
    let other = fleet.coordinator("b").await;
    let bob = ada.at(&other);
    host.open(session).await;
    let mut tab = Tab::open(&bob).await;
    for round in 0..60 {
        // As soon as NATS has it, whoever is asked.
        let gate = GateId::new();
        host.tell(session, [gate_opened(gate), state(State::Waiting)])
            .await;
        let asked = if round % 2 == 0 { &bob } else { &ada };
        let path = format!("/api/gates/{gate}/decision");
        let (status, body) = asked.post(&path, json!({"decision": "allow"})).await;
        assert_eq!(status, 200, "round {round}: {body}");

        let new = ada.start_session().await;
        assert_eq!(tab.subscribe(new, None).await["session"], json!(new));
        let row = bob.get(&format!("/api/sessions/{new}")).await;
        assert_eq!(row["id"], json!(new), "round {round}");
        let message = json!({"text": "and this"});
        let path = format!("/api/sessions/{new}/messages");
        let (status, body) = bob.post(&path, message).await;
        assert_eq!(status, 202, "round {round}: {body}");
    }
}

#[tokio::test]
async fn who_was_made_at_one_coordinator_signs_in_at_the_other_at_once() {
    let fleet = Fleet::start().await;
    let (one, other) = (fleet.coordinator("a").await, fleet.coordinator("b").await);
    let setup = json!({"token": SETUP_TOKEN, "email": "ada@example.org", "password": PASSWORD, "name": "Ada"});
    let (status, body) = one.anonymous().post("/api/auth/setup", setup).await;
    assert_eq!(status, 200, "{body}");
    let login = json!({"email": "ada@example.org", "password": PASSWORD});
    let (status, body) = other.anonymous().post("/api/auth/login", login).await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test]
async fn what_is_nowhere_is_unknown() {
    let fleet = Fleet::start().await;
    let (_coordinator, ada, ..) = running(&fleet).await;
    for (path, code) in [
        (format!("/api/gates/{}", GateId::new()), "unknown_gate"),
        (
            format!("/api/sessions/{}", SessionId::new()),
            "unknown_session",
        ),
    ] {
        let response = ada.send(reqwest::Method::GET, &path, None).await;
        assert_eq!(response.status(), 404);
        let body: serde_json::Value = response.json().await.unwrap();
        assert_eq!(body["error"]["code"], code);
    }
}
