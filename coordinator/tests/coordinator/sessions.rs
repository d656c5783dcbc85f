//! Starting sessions and speaking to them.

use nats::command::Command;
use nats::event::{SessionEnded, State};
use nats::ids::{CommandId, SessionId};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Coordinator, Fleet, Host, Person, is, next_command, said, state};

async fn fleet_of_one(fleet: &Fleet, coordinator: &Coordinator) -> (Person, Host) {
    let host = fleet.host("vps-1").await;
    let ada = coordinator.admin().await;
    ada.wait_for("/api/hosts", "the host", |hosts| {
        hosts["items"][0]["state"] == "online"
    })
    .await;
    (ada, host)
}

#[tokio::test]
async fn a_session_is_queued_until_its_host_speaks_and_follows_it_then() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let (ada, mut host) = fleet_of_one(&fleet, &coordinator).await;
    let id = SessionId::new();
    let request = json!({"id": id, "project": "prj-shop", "agent": "rehearsal", "prompt": "fix the cart\nplease", "labels": {"team": "web"}});
    let (status, row) = ada.post("/api/sessions", request.clone()).await;
    assert_eq!(
        (status, &row["state"], &row["title"]),
        (201, &json!("queued"), &json!("fix the cart"))
    );
    assert_eq!(
        (&row["host"], &row["project_name"], &row["created_by_name"]),
        (&json!("vps-1"), &json!("shop"), &json!("Ada"))
    );
    // The same request again starts nothing.
    let (status, again) = ada.post("/api/sessions", request).await;
    assert_eq!((status, &again["id"]), (200, &row["id"]));

    let order = next_command(&mut host.commands()).await;
    assert_eq!(order.id, id.start_command());
    let Some(Command::SessionStart(start)) = order.body.known() else {
        panic!("{order:?}")
    };
    assert_eq!(
        (
            start.project.as_str(),
            start.prompt.as_ref().unwrap().text.as_str()
        ),
        ("prj-shop", "fix the cart\nplease")
    );
    assert!(start.prompt_id.is_some());

    host.open(id).await;
    let path = format!("/api/sessions/{id}");
    let row = ada
        .wait_for(&path, "a working session", |row| row["state"] == "working")
        .await;
    assert_eq!(
        (&row["branch"], &row["last_seq"]),
        (&json!("flotilla/7f3a"), &json!(2))
    );
    host.tell(id, [state(State::Idle)]).await;
    ada.wait_for(&path, "an idle session", |row| row["state"] == "idle")
        .await;
    let list = ada.get("/api/sessions?state=active").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        ada.get("/api/sessions?state=ended").await["items"],
        json!([])
    );
    assert_eq!(
        ada.get("/api/projects").await["items"][1]["hosts"][0]["path"],
        "/srv/shop"
    );
}

#[tokio::test]
async fn a_message_is_a_command_with_its_own_id_and_sending_it_again_changes_nothing() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let (ada, mut host) = fleet_of_one(&fleet, &coordinator).await;
    let session = ada.start_session().await;
    let (path, id) = (
        format!("/api/sessions/{session}/messages"),
        CommandId::new(),
    );
    let message = json!({"id": id, "text": "and the tests", "delivery": "steer"});
    for _ in 0..2 {
        assert_eq!(
            ada.post(&path, message.clone()).await,
            (202, json!({"id": id}))
        );
    }
    for verb in ["interrupt", "resume", "stop"] {
        let (status, accepted) = ada
            .post(&format!("/api/sessions/{session}/{verb}"), json!({}))
            .await;
        assert_eq!(status, 202, "{accepted}");
    }
    let mut feed = host.commands();
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(next_command(&mut feed).await);
    }
    let tags: Vec<&str> = seen.iter().map(|order| order.body.tag()).collect();
    assert_eq!(
        tags,
        [
            "session.start",
            "message.send",
            "turn.interrupt",
            "session.resume",
            "session.stop"
        ]
    );
    assert_eq!(seen[1].id, id);

    let ended = SessionEnded {
        reason: "stopped by Ada".to_owned(),
        clean: true,
    };
    host.tell(session, [ended.into()]).await;
    ada.wait_for(&format!("/api/sessions/{session}"), "the end", |row| {
        row["state"] == "ended"
    })
    .await;
    let (status, body) = ada.post(&path, json!({"text": "too late"})).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (409, &json!("session_ended"))
    );
}

#[tokio::test]
async fn a_message_that_the_session_has_taken_is_not_sent_again() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let (ada, mut host) = fleet_of_one(&fleet, &coordinator).await;
    let session = ada.start_session().await;
    let mut feed = host.commands();
    assert!(is(&next_command(&mut feed).await, "session.start"));
    let taken = said("taken");
    let nats::Event::MessageUser(message) = &taken else {
        unreachable!()
    };
    let id = message.command;
    host.tell(session, [taken]).await;
    ada.wait_for(&format!("/api/sessions/{session}"), "the message", |row| {
        row["last_seq"] == 1
    })
    .await;
    let path = format!("/api/sessions/{session}/messages");
    assert_eq!(
        ada.post(&path, json!({"id": id, "text": "taken"})).await.0,
        202
    );
    assert_eq!(ada.post(&path, json!({"text": "next"})).await.0, 202);
    let Some(Command::MessageSend(next)) = next_command(&mut feed).await.body.known().cloned()
    else {
        panic!("no message")
    };
    assert_eq!(next.text, "next");
}

#[tokio::test]
async fn an_attachment_lies_in_its_hosts_bucket_under_its_name() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let (ada, host) = fleet_of_one(&fleet, &coordinator).await;
    let session = ada.start_session().await;
    let upload = |name: &str, bytes: Vec<u8>| {
        ada.http
            .post(format!(
                "{}/api/sessions/{session}/attachments?name={name}",
                ada.url
            ))
            .bearer_auth(ada.token.as_ref().unwrap())
            .header("content-type", "application/octet-stream")
            .body(bytes)
            .send()
    };
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| n as u8).collect();
    let response = upload("/tmp/größe.png", bytes.clone()).await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    let attachment: nats::event::Attachment = response.json().await.unwrap();
    assert_eq!(
        (attachment.name.as_str(), attachment.media_type.as_str()),
        ("größe.png", "image/png")
    );
    let reference = nats::event::ObjectReference {
        bucket: nats::stream::object_bucket(&host.name),
        name: attachment.object_name(),
        bytes: attachment.bytes,
        sha256: attachment.sha256.clone(),
    };
    assert_eq!(host.client.object(&reference).await.unwrap(), bytes);
    let (status, _) = ada
        .post(
            &format!("/api/sessions/{session}/messages"),
            json!({"text": "", "attachments": [attachment]}),
        )
        .await;
    assert_eq!(status, 202);

    let refused = upload("big.bin", vec![0; 21 * 1024 * 1024]).await.unwrap();
    assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let body: Value = refused.json().await.unwrap();
    assert_eq!(
        body["error"]["message"],
        "This is larger than the 20 MB that fit here."
    );
    assert_eq!(
        upload("empty.txt", Vec::new()).await.unwrap().status(),
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

#[tokio::test]
async fn sessions_are_listed_newest_first_page_by_page() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let (ada, _host) = fleet_of_one(&fleet, &coordinator).await;
    let mut started = Vec::new();
    for _ in 0..3 {
        started.push(ada.start_session().await.to_string());
    }
    started.reverse();
    let first = ada.get("/api/sessions?limit=2").await;
    let next = first["next"].as_str().unwrap();
    let second = ada
        .get(&format!("/api/sessions?limit=2&cursor={next}"))
        .await;
    let ids: Vec<&str> = [&first, &second]
        .iter()
        .flat_map(|page| page["items"].as_array().unwrap())
        .map(|row| row["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, started);
    assert_eq!(second["next"], Value::Null);
}
