//! How far a message or a decision has come, told by any coordinator to whoever asks, also to a page that was just
//! loaded.

use nats::event::MessageUser;
use nats::ids::CommandId;
use serde_json::json;

use crate::support::{Fleet, Tab, gate_opened, is, next_command, running};

#[tokio::test]
async fn a_message_that_its_host_has_not_taken_is_told_by_every_coordinator_until_it_has() {
    let fleet = Fleet::start().await;
    let (_first, ada, mut host, session) = running(&fleet).await;
    let second = fleet.coordinator("b").await;
    let there = ada.at(&second);
    host.open(session).await;
    let (row, id) = (format!("/api/sessions/{session}"), CommandId::new());
    let sent = json!({"id": id, "text": "and the tests"});
    assert_eq!(ada.post(&format!("{row}/messages"), sent).await.0, 202);

    for person in [&ada, &there] {
        let shown = person
            .wait_for(&row, "the message on its way", |row| {
                row["undelivered"][0]["id"] == json!(id)
            })
            .await;
        assert_eq!(
            (
                &shown["undelivered"][0]["by_name"],
                shown["undelivered"].as_array().unwrap().len()
            ),
            (&json!("Ada"), 1)
        );
        let message = person.get(&format!("{row}/messages/{id}")).await;
        assert_eq!(message["text"], "and the tests");
    }

    let mut feed = host.commands();
    assert!(is(&next_command(&mut feed).await, "session.start"));
    assert!(is(&next_command(&mut feed).await, "message.send"));
    let taken = MessageUser {
        command: id,
        text: "and the tests".to_owned(),
        delivery: nats::event::Delivery::Queue,
        attachments: Vec::new(),
        by: None,
    };
    host.tell(session, [taken.into()]).await;
    for person in [&ada, &there] {
        person
            .wait_for(&row, "the message delivered", |row| {
                row["undelivered"] == json!([]) && row["last_seq"] == 3
            })
            .await;
    }
}

#[tokio::test]
async fn a_page_that_is_loaded_sees_a_decision_that_is_still_on_its_way() {
    let fleet = Fleet::start().await;
    let (_coordinator, ada, mut host, session) = running(&fleet).await;
    let gate = nats::ids::GateId::new();
    host.open(session).await;
    host.tell(session, [gate_opened(gate)]).await;
    let path = format!("/api/gates/{gate}");
    ada.wait_for("/api/gates?state=pending", "the gate", |gates| {
        gates["items"][0]["id"] == json!(gate)
    })
    .await;
    let (status, _) = ada
        .post(&format!("{path}/decision"), json!({"decision": "allow"}))
        .await;
    assert_eq!(status, 200);
    ada.wait_for(&path, "the decision", |gate| gate["state"] == "decided")
        .await;

    let mut tab = Tab::open(&ada).await;
    tab.say(json!({"type": "subscribe_fleet"})).await;
    let fleet = tab.next_of("fleet").await;
    let row = &fleet["gates"][0];
    assert_eq!(
        (&row["id"], &row["state"]),
        (&json!(gate), &json!("decided"))
    );
    assert_eq!(row["receipts"]["delivered_at"], json!(null));
}
