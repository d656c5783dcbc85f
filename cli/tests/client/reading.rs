//! Tables, JSON, and following along.

use serde_json::Value;

use crate::terminal::Terminal;

#[tokio::test]
async fn lists_are_tables_for_people_and_whole_for_programs() {
    let terminal = Terminal::new().await;
    let id = terminal.start("say hello").await;
    terminal
        .ok(&["session", "wait", &id, "--for", "idle", "--timeout", "50"])
        .await;

    let table = terminal.ok(&["session", "ls"]).await;
    assert!(
        table.starts_with("ID  ") && table.contains("Idle") && table.contains("rehearsal"),
        "{table}"
    );
    let rows = terminal.json(&["session", "ls"]).await;
    assert_eq!(rows["items"][0]["id"], id);
    assert!(
        rows["items"][0]["created_by"].is_string(),
        "JSON holds more than the table: {rows}"
    );
    let card = terminal.ok(&["session", "show", "latest"]).await;
    assert!(
        card.contains(&id) && card.contains("state    Idle"),
        "{card}"
    );

    let hosts = terminal.ok(&["host", "ls"]).await;
    assert!(
        hosts.contains("online") && hosts.contains("rehearsal"),
        "{hosts}"
    );
    let nothing = terminal.run(&["gate", "ls"]).await;
    assert_eq!(
        (nothing.code, nothing.out.as_str()),
        (0, ""),
        "{nothing:#?}"
    );
    assert!(
        nothing.err.contains("Nothing waits for you."),
        "{nothing:#?}"
    );

    let unknown = terminal.run(&["session", "show", "ffffffff"]).await;
    assert_eq!(unknown.code, 2, "{unknown:#?}");
}

#[tokio::test]
async fn following_outlives_a_coordinator_ends_with_the_session_and_misses_nothing() {
    let terminal = Terminal::new().await;
    let id = terminal.start("say one").await;
    let (url, token) = (terminal.fleet.url(), terminal.fleet.token().to_owned());
    let environment = [
        ("FLOTILLA_URL", url.as_str()),
        ("FLOTILLA_TOKEN", token.as_str()),
    ];
    let follower = terminal
        .command(
            &["session", "show", &id, "--events", "--follow", "--json"],
            &environment,
        )
        .spawn()
        .expect("the binary starts");
    terminal
        .ok(&["session", "wait", &id, "--for", "idle", "--timeout", "50"])
        .await;
    terminal.ok(&["session", "send", &id, "stream 50 2"]).await;
    terminal
        .ok(&["session", "wait", &id, "--for", "idle", "--timeout", "50"])
        .await;
    terminal.fleet.kill("coordinator").await;
    terminal.ok(&["session", "stop", &id]).await;

    let output = tokio::time::timeout(testkit::fleet::BOUND, follower.wait_with_output()).await;
    let output = output
        .expect("it ends with the session")
        .expect("it is our child");
    let text = String::from_utf8(output.stdout).expect("text");
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("one event a line"))
        .collect();
    let seqs: Vec<u64> = events
        .iter()
        .filter_map(|event| event["seq"].as_u64())
        .collect();
    assert_eq!(
        seqs,
        (1..=seqs.len() as u64).collect::<Vec<_>>(),
        "no hole and no double"
    );
    assert_eq!(
        events.last().map(|event| event["type"].clone()),
        Some("session.ended".into())
    );
}
