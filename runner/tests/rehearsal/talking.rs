//! Handshake, messages, and how a process ends.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::process::Place;

#[tokio::test]
async fn a_turn_has_the_shape_of_the_real_agents() {
    let place = Place::new();
    let mut agent = place.start(&["--session-id", "one"]);
    agent.request("h1", "initialize").await;
    let hello = agent.next("control_response").await;
    assert_eq!(hello["response"]["request_id"], "h1");
    assert!(hello["response"]["pending_permission_requests"].is_null());

    agent.prompt("u1", "say hello there").await;
    let result = agent.next("result/success").await;
    assert_eq!(
        agent.names(1),
        [
            "user",
            "system/init",
            "system/status",
            "assistant",
            "result/success"
        ]
    );
    let replay = &agent.heard[1];
    assert_eq!(
        (&replay["isReplay"], &replay["uuid"]),
        (&json!(true), &json!("u1"))
    );
    assert_eq!(agent.heard[2]["session_id"], "one");
    assert_eq!(agent.heard[2]["model"], "rehearsal");
    assert_eq!(
        (&result["result"], &result["total_cost_usd"]),
        (&json!("hello there"), &json!(0))
    );
    assert_eq!(result["usage"]["output_tokens"], 0);
}

#[tokio::test]
async fn words_come_one_by_one_and_then_as_a_block() {
    let mut agent = Place::new().start(&[]);
    agent.prompt("u1", "stream 25 1").await;
    let block = agent.next("assistant").await;
    let deltas: String = agent
        .heard
        .iter()
        .filter_map(|line| line["event"]["delta"]["text"].as_str())
        .collect();
    assert_eq!(block["message"]["content"][0]["text"], deltas);
    assert_eq!(deltas.split_whitespace().count(), 25);
}

#[tokio::test]
async fn queued_messages_are_turns_of_their_own_in_order() {
    let mut agent = Place::new().start(&[]);
    for (uuid, text) in [
        ("u1", "stream 20 5"),
        ("u2", "say second"),
        ("u3", "say third"),
    ] {
        agent.prompt(uuid, text).await;
    }
    for (uuid, said) in [("u1", None), ("u2", Some("second")), ("u3", Some("third"))] {
        let replay = agent.find("replay", |line| line["isReplay"] == true).await;
        assert_eq!(replay["uuid"], uuid);
        let result = agent.next("result/success").await;
        assert!(said.is_none_or(|said| result["result"] == said), "{result}");
    }
}

#[tokio::test]
async fn a_message_sent_twice_is_done_once() {
    let mut agent = Place::new().start(&[]);
    agent.prompt("u1", "say once").await;
    agent.next("result/success").await;
    let before = agent.heard.len();
    agent.prompt("u1", "say once").await;
    agent.prompt("u2", "say next").await;
    agent.next("result/success").await;
    assert_eq!(
        agent.names(before),
        [
            "user",
            "user",
            "system/init",
            "system/status",
            "assistant",
            "result/success"
        ]
    );
}

#[tokio::test]
async fn an_unknown_request_gets_an_error_and_an_unknown_type_nothing() {
    let mut agent = Place::new().start(&[]);
    agent.send(json!({ "type": "news" })).await;
    agent.request("h1", "nope").await;
    let answer = agent.next("control_response").await;
    assert_eq!(answer["response"]["subtype"], "error");
    assert_eq!(
        answer["response"]["error"],
        "Unsupported control request subtype: nope"
    );
    assert_eq!(agent.heard.len(), 1);
}

#[tokio::test]
async fn a_flood_arrives_whole_and_in_lines_of_bounded_length() {
    let mut agent = Place::new().start(&[]);
    agent.prompt("u1", "flood 300000").await;
    agent.next("result/success").await;
    let blocks = agent
        .heard
        .iter()
        .filter_map(|line| line["message"]["content"][0]["text"].as_str());
    assert_eq!(blocks.map(str::len).sum::<usize>(), 300_000);
    let longest = agent.heard.iter().map(|line| line.to_string().len()).max();
    assert!(longest < Some(100_000), "{longest:?}");
}

#[tokio::test]
async fn a_long_line_is_one_line() {
    let mut agent = Place::new().start(&[]);
    agent.prompt("u1", "longline 3000000").await;
    let line = agent.next("assistant").await;
    assert!(line.to_string().len() > 3_000_000);
}

#[tokio::test]
async fn it_ends_with_its_stdin() {
    let mut agent = Place::new().start(&[]);
    agent.prompt("u1", "stream 20 5\nsay bye").await;
    agent.close_stdin();
    assert_eq!(agent.next("result/success").await["result"], "bye");
    assert_eq!(agent.exit().await.code(), Some(0));
}

#[tokio::test]
async fn a_line_that_is_no_json_ends_it() {
    let mut agent = Place::new().start(&[]);
    agent.send(json!("not an object's line")).await;
    agent.request("h1", "initialize").await;
    agent.next("control_response").await;
    agent.send_raw("hello\n").await;
    assert_eq!(agent.exit().await.code(), Some(1));
}

#[tokio::test]
async fn a_crash_is_a_kill_and_half_a_line_is_half_a_line() {
    let place = Place::new();
    let mut agent = place.start(&[]);
    agent.prompt("u1", "say before\ncrash").await;
    agent.rest().await;
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&agent.exit().await),
        Some(9)
    );

    let mut agent = place.start(&[]);
    agent.prompt("u1", "half").await;
    let last = agent.rest().await.pop().expect("it said something");
    assert!(
        last.starts_with('{') && serde_json::from_str::<serde_json::Value>(&last).is_err(),
        "{last}"
    );
    assert_eq!(agent.exit().await.code(), Some(1));
}

#[tokio::test]
async fn sigterm_ends_it_and_the_command_it_runs() {
    let place = Place::new();
    let mut agent = place.start(&[]);
    agent.prompt("u1", "run echo $$ > pid; sleep 1000").await;
    let asked = agent.next("control_request").await;
    agent.allow(&asked).await;
    let command = place.written_pid("pid").await;
    let pid = Pid::from_raw(agent.pid()).expect("a pid");
    kill_process(pid, Signal::TERM).expect("it runs");
    assert_eq!(agent.exit().await.code(), Some(143));
    Place::gone(command).await;
}

#[tokio::test]
async fn states_are_told_when_the_environment_asks_for_them() {
    let place = Place::new();
    let mut agent = place.start_in(&[], &[("CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS", "1")]);
    agent.prompt("u1", "run true").await;
    let asked = agent.next("control_request").await;
    agent.allow(&asked).await;
    agent.find("idle", |line| line["state"] == "idle").await;
    let states: Vec<_> = agent
        .heard
        .iter()
        .filter_map(|line| line["state"].as_str())
        .collect();
    assert_eq!(states, ["running", "requires_action", "running", "idle"]);
}
