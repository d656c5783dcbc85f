//! Sessions that find no host: kept with what is said to them, placed once, ended on request; hosts that drain.

use std::collections::BTreeMap;

use nats::Timestamp;
use nats::client::Client;
use nats::command::Command;
use nats::event::{MessageUser, State};
use nats::ids::{CommandId, SessionId};
use nats::report::{ReportMessage, StartRefused};
use nats::wire::Wire;
use serde_json::{Value, json};
use testkit::wait;

use crate::support::{BOUND, Coordinator, Fleet, Host, Person, is, next_command, state};

/// A host with so many slots, and somebody to ask.
async fn fleet_with(fleet: &Fleet, coordinator: &Coordinator, slots: u32) -> (Person, Host) {
    let host = host_with(fleet, "vps-1", slots).await;
    let ada = coordinator.admin().await;
    ada.wait_for("/api/hosts", "the host", |hosts| {
        hosts["items"][0]["state"] == "online" && hosts["items"][0]["slots"] == slots
    })
    .await;
    (ada, host)
}

async fn host_with(fleet: &Fleet, name: &str, slots: u32) -> Host {
    // From its first word: what is placed by another number a moment before is placed.
    fleet.host_with(name, |record| record.slots = slots).await
}

async fn row_of(ada: &Person, session: SessionId) -> Value {
    ada.get(&format!("/api/sessions/{session}")).await
}

/// As a runner tells that it has no slot.
async fn refuse(host: &Host, session: SessionId, epoch: u64) {
    refuse_over(&host.client, host, session, epoch).await;
}

async fn refuse_over(client: &Client, host: &Host, session: SessionId, epoch: u64) {
    let refused = StartRefused {
        reason: "every slot is taken".to_owned(),
    };
    let message = ReportMessage {
        v: 1,
        session,
        host: host.name.clone(),
        epoch,
        at: Timestamp::now(),
        body: Wire::Known(refused.into()),
    };
    client.publish_report(&message).await.unwrap();
}

fn receipt(id: CommandId, text: &str) -> nats::Event {
    MessageUser {
        command: id,
        text: text.to_owned(),
        delivery: nats::event::Delivery::Queue,
        attachments: Vec::new(),
        by: None,
    }
    .into()
}

#[tokio::test]
async fn a_session_that_fits_nowhere_waits_with_what_is_said_to_it_and_begins_when_a_host_is_added()
{
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let (ada, mut first) = fleet_with(&fleet, &coordinator, 1).await;
    let busy = ada.start_session().await;
    first.open(busy).await;
    let waits = ada.start_session().await;
    let row = ada
        .wait_for(
            &format!("/api/sessions/{waits}"),
            "its place in line",
            |row| row["queue"]["position"] == 1,
        )
        .await;
    assert_eq!(
        (&row["state"], &row["host"]),
        (&json!("queued"), &Value::Null)
    );
    assert_eq!(
        row["queue"],
        json!({"position": 1, "length": 1, "reason": "vps-1: no free slot, 1 of 1 taken"})
    );
    assert_eq!(
        row["state_reason"],
        "Waits for a host. vps-1: no free slot, 1 of 1 taken."
    );
    // What is said to it is accepted and kept, in order.
    let ids: Vec<CommandId> = (0..3).map(|_| CommandId::new()).collect();
    let path = format!("/api/sessions/{waits}/messages");
    for (id, text) in ids.iter().zip(["one", "two", "three"]) {
        for _ in 0..2 {
            let (status, body) = ada.post(&path, json!({"id": id, "text": text})).await;
            assert_eq!(status, 202, "{body}");
        }
    }
    let shown = ada.get(&format!("{path}/{}", ids[1])).await;
    assert_eq!(shown["text"], "two");

    let mut second = host_with(&fleet, "vps-2", 4).await;
    let mut commands = second.commands();
    let start = next_command(&mut commands).await;
    assert_eq!((start.session, start.epoch), (waits, 1));
    assert!(is(&start, "session.start"));
    second.open(waits).await;
    let mut said = Vec::new();
    for id in &ids {
        let order = next_command(&mut commands).await;
        let Some(Command::MessageSend(message)) = order.body.known() else {
            panic!("{order:?}")
        };
        assert_eq!(order.id, *id);
        said.push(message.text.clone());
    }
    assert_eq!(said, ["one", "two", "three"]);
    let receipts: Vec<_> = ids.iter().map(|id| receipt(*id, "…")).collect();
    second.tell(waits, receipts).await;
    let row = ada
        .wait_for(
            &format!("/api/sessions/{waits}"),
            "a session with everything",
            |row| row["undelivered"] == json!([]) && row["last_seq"] == 5,
        )
        .await;
    assert_eq!(
        (&row["host"], &row["queue"]),
        (&json!("vps-2"), &Value::Null)
    );
    assert_eq!(
        row["placed_because"],
        "the only host that fits: it has the project and the agent, and 4 of its 4 slots were free"
    );
}

#[tokio::test]
async fn a_session_that_its_host_refuses_waits_again_and_goes_to_another_in_the_next_epoch() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let (ada, first) = fleet_with(&fleet, &coordinator, 1).await;
    let session = ada.start_session().await;
    let start = next_command(&mut first.commands()).await;
    assert_eq!((start.session, start.epoch), (session, 1));
    // A word of another host about it, or of another epoch, is nobody's.
    let third = host_with(&fleet, "vps-3", 1).await;
    refuse(&third, session, 1).await;
    let second = host_with(&fleet, "vps-2", 1).await;
    refuse(&first, session, 7).await;
    refuse(&first, session, 1).await;
    let mut commands = second.commands();
    let start = next_command(&mut commands).await;
    assert_eq!((start.session, start.epoch), (session, 2));
    let row = row_of(&ada, session).await;
    assert_eq!((&row["host"], &row["epoch"]), (&json!("vps-2"), &json!(2)));
    // Said once more, it changes nothing.
    refuse(&first, session, 1).await;
    let events = [
        second.row(session, 2, 1, state(State::Working)),
        second.row(session, 2, 2, state(State::Idle)),
    ];
    let (_, _, stored) = second
        .client
        .publish_events(&second.name, session, 0, &events, true)
        .await;
    stored.unwrap();
    ada.wait_for(
        &format!("/api/sessions/{session}"),
        "it begins there",
        |row| row["state"] == "idle" && row["host"] == "vps-2",
    )
    .await;
    // Whoever has begun it can no longer refuse it. What is said after that over the same line shows that this was heard.
    let fourth = host_with(&fleet, "vps-4", 1).await;
    ada.wait_for("/api/hosts/vps-4", "the host", |host| {
        host["state"] == "online" && host["slots"] == 1
    })
    .await;
    let last = ada.start_session().await;
    refuse_over(&second.client, &second, session, 2).await;
    refuse_over(&second.client, &fourth, last, 1).await;
    ada.wait_for(&format!("/api/sessions/{last}"), "the line", |row| {
        row["queue"]["position"] == 1
    })
    .await;
    let row = row_of(&ada, session).await;
    assert_eq!((&row["host"], &row["epoch"]), (&json!("vps-2"), &json!(2)));
}

#[tokio::test]
async fn a_session_that_waits_can_be_stopped_and_nothing_begins() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let (ada, first) = fleet_with(&fleet, &coordinator, 1).await;
    let placed = ada.start_session().await;
    let waits = ada.start_session().await;
    let (status, body) = ada
        .post(&format!("/api/sessions/{waits}/interrupt"), json!({}))
        .await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (409, &json!("not_placed"))
    );
    let (status, body) = ada
        .post(&format!("/api/sessions/{waits}/stop"), json!({}))
        .await;
    assert_eq!(status, 202, "{body}");
    let row = ada
        .wait_for(&format!("/api/sessions/{waits}"), "its end", |row| {
            row["state"] == "ended"
        })
        .await;
    assert_eq!(row["state_reason"], "stopped by a person before it began");
    let active = ada.get("/api/sessions?state=active").await;
    assert_eq!(active["items"].as_array().unwrap().len(), 1);
    // One that was placed and is refused after that is over as well.
    let start = next_command(&mut first.commands()).await;
    assert_eq!(start.session, placed);
    let (status, body) = ada
        .post(&format!("/api/sessions/{placed}/stop"), json!({}))
        .await;
    assert_eq!(status, 202, "{body}");
    refuse(&first, placed, 1).await;
    ada.wait_for(&format!("/api/sessions/{placed}"), "its end", |row| {
        row["state"] == "ended"
    })
    .await;
}

#[tokio::test]
async fn a_draining_host_takes_nothing_new_also_after_a_restart_until_somebody_says_otherwise() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let (ada, host) = fleet_with(&fleet, &coordinator, 4).await;
    let (status, row) = ada.post("/api/hosts/vps-1/drain", json!({})).await;
    assert_eq!((status, &row["draining"]["by_name"]), (200, &json!("Ada")));
    let (status, again) = ada.post("/api/hosts/vps-1/drain", json!({})).await;
    assert_eq!((status, &again["draining"]), (200, &row["draining"]));
    let (status, body) = ada.post("/api/hosts/vps-9/drain", json!({})).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (404, &json!("unknown_host"))
    );
    let waits = ada.start_session().await;
    ada.wait_for(&format!("/api/sessions/{waits}"), "the reason", |row| {
        row["queue"]["reason"] == "vps-1: draining"
    })
    .await;
    coordinator.stop().await;
    let other = fleet.coordinator("b").await;
    let ada = ada.at(&other);
    host.beat().await;
    ada.wait_for("/api/hosts/vps-1", "a host that drains", |row| {
        row["draining"]["by_name"] == "Ada" && row["state"] == "online"
    })
    .await;
    ada.wait_for(&format!("/api/sessions/{waits}"), "the reason", |row| {
        row["queue"]["reason"] == "vps-1: draining"
    })
    .await;
    let (status, row) = ada.post("/api/hosts/vps-1/resume", json!({})).await;
    assert_eq!((status, &row["draining"]), (200, &Value::Null));
    let start = next_command(&mut host.commands()).await;
    assert_eq!(start.session, waits);
    let audit = ada.get("/api/audit").await;
    let actions: Vec<&str> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["subject"] == "vps-1")
        .filter_map(|it| it["action"].as_str())
        .collect();
    assert_eq!(actions, ["host.resume", "host.drain"]);
}

#[tokio::test]
async fn two_coordinators_place_each_session_once_and_what_a_host_refuses_goes_elsewhere() {
    const WAITING: usize = 12;
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let (ada, _full) = fleet_with(&fleet, &coordinator, 1).await;
    let other = fleet.coordinator("b").await;
    let bob = ada.at(&other);
    let placed = ada.start_session().await;
    row_of(&bob, placed).await;
    let mut waiting = Vec::new();
    for index in 0..WAITING {
        let who = if index % 2 == 0 { &ada } else { &bob };
        waiting.push(who.start_session().await);
    }
    assert!(!waiting.contains(&placed));
    let second = host_with(&fleet, "vps-2", 5).await;
    let third = host_with(&fleet, "vps-3", 4).await;
    // A start is sent again until its session begins, which none does here. On pictures that differ the two may put one
    // session too many on a host, which its runner refuses; nothing that was taken begins anywhere else.
    let mut taken: BTreeMap<SessionId, &str> = BTreeMap::new();
    let (mut of_second, mut of_third) = (second.commands(), third.commands());
    while taken.len() < 9 {
        let (order, host, slots) = tokio::select! {
            order = next_command(&mut of_second) => (order, &second, 5),
            order = next_command(&mut of_third) => (order, &third, 4),
        };
        assert!(is(&order, "session.start"));
        let name = host.name.as_str();
        match taken.get(&order.session) {
            Some(owner) => assert_eq!(*owner, name, "{} was begun twice", order.session),
            None if taken.values().filter(|it| **it == name).count() == slots => {
                refuse(host, order.session, order.epoch).await;
            }
            None => drop(taken.insert(order.session, name)),
        }
    }
    // Both show the same, and the rest waits.
    for who in [&ada, &bob] {
        wait::until("three that wait", BOUND, async || {
            let list = who.get("/api/sessions?state=active").await;
            let items = list["items"].as_array().unwrap();
            let left: Vec<&Value> = items.iter().filter(|it| it["host"].is_null()).collect();
            let positions: Vec<&Value> = left.iter().map(|it| &it["queue"]["position"]).collect();
            let told = positions.iter().filter(|it| it.is_u64()).count();
            if left.len() == WAITING - 9 && told == left.len() {
                Ok(())
            } else {
                Err(format!("{positions:?}"))
            }
        })
        .await;
    }
}
