//! A session's numbers, compared end to end; and what is found when one of the places that hold them was changed by hand.

use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};
use testkit::wait;

use crate::terminal::Terminal;

/// A turn whose result is too big to travel in a row, and one of plain talk.
const BIG: &str = "run seq 1 40000 > big.txt\nread big.txt\nsay done";

fn part<'a>(verification: &'a Value, name: &str) -> &'a Value {
    let parts = verification["parts"].as_array().expect("parts");
    parts
        .iter()
        .find(|part| part["part"] == name)
        .unwrap_or_else(|| panic!("no part {name} in {verification}"))
}

fn change(database: &Path, sql: &str) {
    let connection = Connection::open(database).expect("a database");
    let changed = connection.execute(sql, []).expect("the change is made");
    assert_eq!(changed, 1, "{sql}");
}

/// Verifies, and expects a difference: the exit code is 7.
async fn different(terminal: &Terminal, session: &str) -> Value {
    let said = terminal
        .run(&["session", "verify", session, "--json"])
        .await;
    assert_eq!(said.code, 7, "{said:#?}");
    assert!(said.err.contains("expected "), "{said:#?}");
    serde_json::from_str(&said.out).expect("JSON on stdout")
}

#[tokio::test]
async fn a_session_is_the_same_on_its_host_in_the_stream_and_here_while_it_lives_and_afterwards() {
    let terminal = Terminal::new().await;
    let fleet = &terminal.fleet;
    let session = terminal.start(BIG).await;
    fleet.allow_all(&session).await;
    let file = fleet
        .attach(&session, "notes.txt", "text/plain", b"a note".to_vec())
        .await;
    let message = json!({"text": "say thanks", "attachments": [file]});
    fleet
        .post(&format!("/api/sessions/{session}/messages"), message)
        .await;
    fleet
        .wait_event(&session, "thanks", |event| {
            event["data"]["text"] == "thanks" && event["type"] == "message.assistant"
        })
        .await;
    fleet.wait_state(&session, &["idle"]).await;

    let seen = terminal.json(&["session", "verify", &session]).await;
    assert_eq!(seen["verdict"], "same", "{seen}");
    assert_eq!(seen["difference"], Value::Null);
    for name in ["shim", "host_log", "stream", "objects", "projection"] {
        assert_eq!(part(&seen, name)["state"], "same", "{seen}");
    }
    assert_eq!(seen["events"], fleet.events(&session).await.len());
    let objects = part(&seen, "objects")["words"].as_str().expect("words");
    assert!(
        objects.starts_with("2 "),
        "the big row and the file: {seen}"
    );

    terminal.ok(&["session", "stop", &session]).await;
    fleet.wait_state(&session, &["ended"]).await;
    let table = terminal.ok(&["session", "verify", "latest"]).await;
    assert!(
        table.contains("shim        absent") && table.contains("projection  same"),
        "{table}"
    );
}

#[tokio::test]
async fn a_row_that_was_changed_by_hand_is_named() {
    let terminal = Terminal::new().await;
    let fleet = &terminal.fleet;
    let session = terminal.start("say one\nsay two").await;
    fleet.wait_state(&session, &["idle"]).await;
    let (projection, log) = (
        fleet.data().join("coordinator/projection.db"),
        fleet.data().join(format!("sessions/{session}/session.db")),
    );

    let here = format!("session = '{session}' AND seq = 4");
    change(
        &projection,
        &format!("UPDATE events SET body = replace(body, '\"v\":1', '\"v\":2') WHERE {here}"),
    );
    let seen = different(&terminal, &session).await;
    assert_eq!(part(&seen, "host_log")["state"], "same", "{seen}");
    assert_eq!(seen["difference"]["part"], "projection");
    assert_eq!(seen["difference"]["seq"], 4);

    change(
        &log,
        "UPDATE log SET body = CAST(replace(CAST(body AS TEXT), '\"v\":1', '\"v\":3') AS BLOB) WHERE seq = 3",
    );
    let seen = different(&terminal, &session).await;
    assert_eq!(
        seen["difference"]["part"], "host_log",
        "the lower one is first: {seen}"
    );
    assert_eq!(seen["difference"]["seq"], 3);
    assert_eq!(
        seen["difference"]["found"].as_str().map(|it| &it[..7]),
        Some("sha256 ")
    );
    assert_eq!(part(&seen, "projection")["difference"]["seq"], 4);

    change(&log, "DELETE FROM log WHERE seq = 2");
    let seen = different(&terminal, &session).await;
    assert_eq!(
        (
            &seen["difference"]["seq"],
            &seen["difference"]["expected"],
            &seen["difference"]["found"]
        ),
        (&json!(2), &json!("event 2"), &json!("event 3"))
    );
}

#[tokio::test]
async fn a_host_that_is_silent_is_said_so_and_the_rest_is_looked_at() {
    let terminal = Terminal::new().await;
    let fleet = &terminal.fleet;
    let session = terminal.start("say one").await;
    fleet.wait_state(&session, &["idle"]).await;
    let _held = fleet.hold_down("runner").await;
    wait::until("the host to be silent", testkit::fleet::BOUND, async || {
        let hosts = fleet.try_get("/api/hosts").await?;
        (hosts["items"][0]["state"] == "silent")
            .then_some(())
            .ok_or(hosts.to_string())
    })
    .await;
    let said = terminal
        .run(&["session", "verify", &session, "--json"])
        .await;
    assert_eq!(said.code, 8, "{said:#?}");
    assert!(said.err.contains("is silent"), "{said:#?}");
    let seen: Value = serde_json::from_str(&said.out).expect("JSON on stdout");
    assert_eq!(seen["verdict"], "incomplete");
    for (name, state) in [
        ("host_log", "unchecked"),
        ("stream", "same"),
        ("projection", "same"),
    ] {
        assert_eq!(part(&seen, name)["state"], state, "{seen}");
    }
}
