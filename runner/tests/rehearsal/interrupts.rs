//! A turn is stopped wherever it is; the process, its queue and its conversation live on.

use serde_json::json;

use crate::process::{Place, result_text};

#[tokio::test]
async fn an_interrupt_mid_stream_keeps_what_was_said() {
    let mut agent = Place::new().start(&[]);
    agent.prompt("u1", "stream 100000 5").await;
    agent
        .find("a word", |line| line["event"]["delta"]["text"].is_string())
        .await;
    let before = agent.heard.len();
    agent.request("h1", "interrupt").await;
    let result = agent.next("result").await;
    assert_eq!(
        agent.names(before),
        [
            "control_response",
            "assistant",
            "user",
            "result/error_during_execution"
        ]
    );
    assert_eq!(
        (&result["terminal_reason"], &result["is_error"]),
        (&json!("aborted_streaming"), &json!(true))
    );
    agent.prompt("u2", "say still here").await;
    assert_eq!(agent.next("result/success").await["result"], "still here");
}

#[tokio::test]
async fn an_interrupt_with_a_permission_pending_withdraws_it() {
    let place = Place::new();
    let mut agent = place.start(&[]);
    agent.prompt("u1", "run touch never").await;
    let asked = agent.next("control_request").await;
    let before = agent.heard.len();
    agent.request("h1", "interrupt").await;
    let result = agent.next("result").await;
    assert_eq!(
        agent.names(before),
        [
            "control_cancel_request",
            "control_response",
            "user",
            "user",
            "result/error_during_execution"
        ]
    );
    assert_eq!(agent.heard[before]["request_id"], asked["request_id"]);
    assert_eq!(result["terminal_reason"], "aborted_tools");
    // Too late: it is no longer asked.
    agent.allow(&asked).await;
    agent.prompt("u2", "say next").await;
    agent.next("result/success").await;
    assert!(!place.work().join("never").exists());
}

#[tokio::test]
async fn an_interrupt_kills_the_command_that_runs_and_keeps_its_output() {
    let place = Place::new();
    let mut agent = place.start(&[]);
    agent
        .prompt(
            "u1",
            "run echo begun; echo $$ > pid; sleep 1000; touch never",
        )
        .await;
    let asked = agent.next("control_request").await;
    agent.allow(&asked).await;
    let command = place.written_pid("pid").await;
    agent.request("h1", "interrupt").await;
    let aborted = agent
        .find("a result", |line| !line["tool_use_result"].is_null())
        .await;
    assert!(result_text(&aborted).contains("begun"), "{aborted}");
    assert!(result_text(&aborted).contains("aborted before completion"));
    assert_eq!(aborted["tool_use_result"]["interrupted"], true);
    assert_eq!(
        agent.next("result").await["terminal_reason"],
        "aborted_tools"
    );
    Place::gone(command).await;
    assert!(!place.work().join("never").exists());
}

#[tokio::test]
async fn an_interrupt_leaves_the_queue_alone() {
    let mut agent = Place::new().start(&[]);
    agent.prompt("u1", "sleep 600000").await;
    agent.prompt("u2", "say second").await;
    agent.next("system/init").await;
    agent.request("h1", "interrupt").await;
    assert_eq!(
        agent.next("result").await["terminal_reason"],
        "aborted_streaming"
    );
    assert_eq!(agent.next("result").await["result"], "second");
}

#[tokio::test]
async fn an_interrupt_while_idle_changes_nothing() {
    let mut agent = Place::new().start(&[]);
    agent.request("h1", "interrupt").await;
    assert_eq!(
        agent.next("control_response").await["response"]["subtype"],
        "success"
    );
    agent.prompt("u1", "say here").await;
    agent.next("result/success").await;
}

#[tokio::test]
async fn a_flood_can_be_interrupted() {
    let mut agent = Place::new().start(&[]);
    agent.prompt("u1", "flood 1000000000").await;
    agent.next("assistant").await;
    agent.request("h1", "interrupt").await;
    assert_eq!(
        agent.next("result").await["terminal_reason"],
        "aborted_streaming"
    );
}
