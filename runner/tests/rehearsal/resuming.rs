//! What survives the process: the conversation, and a call that nobody has answered.

use serde_json::json;

use crate::process::Place;

#[tokio::test]
async fn a_resumed_conversation_says_how_many_turns_it_remembers() {
    let place = Place::new();
    let mut agent = place.start(&["--session-id", "one"]);
    agent.prompt("u1", "say first").await;
    agent.prompt("u2", "say second").await;
    agent.next("result/success").await;
    agent.next("result/success").await;
    agent.close_stdin();
    assert!(agent.exit().await.success());

    let mut agent = place.start(&["--resume", "one"]);
    agent.prompt("u3", "say third").await;
    let words = agent.next("assistant").await;
    assert_eq!(
        words["message"]["content"][0]["text"],
        "I was started again and remember 2 turns."
    );
    assert_eq!(words["session_id"], "one");
    assert_eq!(agent.next("result/success").await["result"], "third");
}

#[tokio::test]
async fn a_kill_while_it_asks_asks_the_same_call_again_and_goes_on() {
    let place = Place::new();
    let mut agent = place.start(&["--session-id", "one"]);
    agent
        .prompt("u1", "say begin\nwrite a.txt text\nsay end")
        .await;
    let first = agent.next("control_request").await;
    agent.kill().await;

    let mut agent = place.start(&["--resume", "one"]);
    let again = agent.next("control_request").await;
    assert_eq!(agent.heard.len(), 1, "nothing is said before");
    assert_eq!(first["request"], again["request"]);
    agent.request("h1", "initialize").await;
    let hello = agent.next("control_response").await;
    assert_eq!(
        hello["response"]["pending_permission_requests"],
        json!([again])
    );
    agent.allow(&again).await;
    assert_eq!(agent.next("result/success").await["result"], "end");
    assert!(place.work().join("a.txt").exists());
}

#[tokio::test]
async fn a_kill_after_the_answer_does_not_ask_again() {
    let place = Place::new();
    let mut agent = place.start(&["--session-id", "one"]);
    agent.prompt("u1", "run echo $$ > pid; sleep 1000").await;
    let asked = agent.next("control_request").await;
    agent.allow(&asked).await;
    let command = place.written_pid("pid").await;
    agent.kill().await;
    Place::end(command).await;

    let mut agent = place.start(&["--resume", "one"]);
    agent.prompt("u2", "say here").await;
    agent.next("result/success").await;
    assert!(
        agent
            .heard
            .iter()
            .all(|line| line["type"] != "control_request")
    );
}

#[tokio::test]
async fn an_end_of_stdin_while_it_asks_is_no_denial() {
    let place = Place::new();
    let mut agent = place.start(&["--session-id", "one"]);
    agent.prompt("u1", "run touch file").await;
    agent.next("control_request").await;
    agent.close_stdin();
    assert_eq!(agent.rest().await, Vec::<String>::new());
    assert_eq!(agent.exit().await.code(), Some(0));

    let mut agent = place.start(&["--resume", "one"]);
    let again = agent.next("control_request").await;
    agent.allow(&again).await;
    agent.next("result/success").await;
    assert!(place.work().join("file").exists());
}

#[tokio::test]
async fn a_second_initialize_names_what_is_pending() {
    let mut agent = Place::new().start(&[]);
    agent.request("h1", "initialize").await;
    agent.next("control_response").await;
    agent.request("h2", "initialize").await;
    let idle = agent.next("control_response").await;
    assert_eq!(idle["response"]["pending_permission_requests"], json!([]));
    agent.prompt("u1", "run true").await;
    let asked = agent.next("control_request").await;
    agent.request("h3", "initialize").await;
    let waiting = agent.next("control_response").await;
    assert_eq!(
        waiting["response"]["pending_permission_requests"],
        json!([asked])
    );
}

#[tokio::test]
async fn an_id_cannot_be_begun_twice_or_resumed_unknown() {
    let place = Place::new();
    let mut agent = place.start(&["--session-id", "one"]);
    agent.close_stdin();
    assert!(agent.exit().await.success());

    let mut agent = place.start(&["--session-id", "one"]);
    assert_eq!(agent.rest().await, Vec::<String>::new());
    assert_eq!(agent.exit().await.code(), Some(1));

    let mut agent = place.start(&["--resume", "two"]);
    let result = agent.next("result/error_during_execution").await;
    assert_eq!(
        result["errors"],
        json!(["No conversation found with session ID: two"])
    );
    assert_eq!(agent.exit().await.code(), Some(1));
}

#[tokio::test]
async fn its_memory_can_be_put_elsewhere() {
    let place = Place::new();
    let state = tempfile::tempdir().expect("a folder");
    let flag = format!("--state={}", state.path().display());
    let mut agent = place.start(&["--session-id", "one", &flag]);
    agent.prompt("u1", "say hello").await;
    agent.next("result/success").await;
    assert!(state.path().join("one.jsonl").is_file());
}
