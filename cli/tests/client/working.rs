//! A session from its start to its end, its approvals and questions.

use serde_json::json;

use crate::terminal::Terminal;

#[tokio::test]
async fn a_session_is_started_approved_talked_to_and_stopped() {
    let terminal = Terminal::new().await;
    let id = terminal
        .start("write note.txt hello\\nsay no more\nsay all done")
        .await;
    assert!(id.starts_with("ses_"), "{id}");
    let short = &id[id.len() - 8..];

    assert_eq!(
        terminal
            .ok(&["session", "wait", short, "--timeout", "50"])
            .await,
        "waiting"
    );
    let gates = terminal.ok(&["gate", "ls", "--session", "latest"]).await;
    assert!(
        gates.contains("Waiting for you since") && gates.contains("note.txt"),
        "{gates}"
    );
    let gate = terminal.json(&["gate", "show", "oldest"]).await;
    let card = terminal.ok(&["gate", "show", "oldest"]).await;
    assert!(
        card.contains("  + hello\n  + say no more"),
        "the exact content: {card}"
    );
    assert!(card.contains("flotilla gate allow"), "{card}");

    let gate_id = gate["id"].as_str().expect("a gate has an id");
    terminal
        .ok(&[
            "gate",
            "allow",
            gate_id,
            "--input-hash",
            gate["input_hash"].as_str().expect("a hash"),
        ])
        .await;
    let again = terminal.run(&["gate", "deny", gate_id, "too late"]).await;
    assert_eq!(again.code, 1, "{again:#?}");
    assert!(
        again.err.contains("Ada has already allowed this"),
        "{again:#?}"
    );

    assert_eq!(
        terminal
            .ok(&["session", "wait", &id, "--for", "idle", "--timeout", "50"])
            .await,
        "idle"
    );
    let log = terminal.ok(&["session", "show", &id, "--events"]).await;
    assert!(
        log.contains("all done") && log.contains("Allowed by Ada"),
        "{log}"
    );

    let sent = terminal
        .run(&["session", "send", &id, "say and more"])
        .await;
    assert!(
        sent.code == 0 && sent.out.starts_with("cmd_") && sent.err.contains("Delivered"),
        "{sent:#?}"
    );
    terminal
        .ok(&["session", "wait", &id, "--for", "idle", "--timeout", "50"])
        .await;
    let log = terminal.ok(&["session", "show", &id, "--events"]).await;
    assert!(
        log.contains("> say and more") && log.matches("and more").count() > 1,
        "{log}"
    );

    terminal.ok(&["session", "stop", &id]).await;
    assert_eq!(
        terminal
            .ok(&["session", "wait", &id, "--for", "ended", "--timeout", "50"])
            .await,
        "ended"
    );
    let never = terminal
        .run(&["session", "wait", &id, "--for", "idle"])
        .await;
    assert_eq!(never.code, 6, "{never:#?}");
}

#[tokio::test]
async fn a_question_is_answered_and_a_denial_says_why() {
    let terminal = Terminal::new().await;
    let id = terminal
        .start("ask Which one? | This | That\nsay It is {answer}.\nrun touch never\nsay after")
        .await;
    terminal
        .ok(&[
            "session",
            "wait",
            &id,
            "--for",
            "waiting",
            "--timeout",
            "50",
        ])
        .await;
    let yes = terminal.run(&["gate", "allow", "oldest"]).await;
    assert_eq!(yes.code, 2, "{yes:#?}");
    assert!(yes.err.contains("flotilla gate answer"), "{yes:#?}");
    terminal
        .ok(&["gate", "answer", "oldest", "something else"])
        .await;

    let next = testkit::wait::until("the command's gate", testkit::fleet::BOUND, async || {
        let gates = terminal.json(&["gate", "ls", "--session", &id]).await;
        match gates["items"][0]["tool"] == json!("Bash") {
            true => Ok(gates["items"][0]["id"]
                .as_str()
                .unwrap_or_default()
                .to_owned()),
            false => Err(gates.to_string()),
        }
    })
    .await;
    terminal
        .ok(&["gate", "deny", &next, "leave it alone"])
        .await;
    terminal
        .ok(&["session", "wait", &id, "--for", "idle", "--timeout", "50"])
        .await;
    let log = terminal.ok(&["session", "show", &id, "--events"]).await;
    assert!(
        log.contains("It is something else.")
            && log.contains("leave it alone")
            && log.contains("after"),
        "{log}"
    );
}

#[tokio::test]
async fn an_interrupt_ends_the_turn_and_waiting_has_a_bound() {
    let terminal = Terminal::new().await;
    let id = terminal.start("sleep 600000").await;
    let early = terminal
        .run(&["session", "wait", &id, "--for", "waiting", "--timeout", "2"])
        .await;
    assert_eq!((early.code, early.out.as_str()), (5, ""), "{early:#?}");
    terminal.fleet.wait_state(&id, &["working"]).await;
    terminal.ok(&["session", "interrupt", &id]).await;
    assert_eq!(
        terminal
            .ok(&["session", "wait", &id, "--for", "idle", "--timeout", "50"])
            .await,
        "idle"
    );
}
