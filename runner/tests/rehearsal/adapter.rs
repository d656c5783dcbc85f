//! What the rehearsal says passes through the real agent's adapter, and nothing of it is strange there.

use runner::agent::{Adapter, AgentEvent, Dialect};
use serde_json::{Value, json};

use crate::process::{Agent, Place};

/// Its command's id, as the adapter writes it into a message.
const MESSAGE: &str = "0192f3a0-0000-7000-8000-000000000001";

/// The names of what the adapter makes of all that was heard.
fn translated(agent: &Agent) -> Vec<&'static str> {
    let mut adapter = Adapter::new(Dialect::Claude);
    adapter.handshake(1);
    let lines = agent.heard.iter().map(Value::to_string);
    lines
        .flat_map(|line| adapter.line(line.as_bytes()))
        .filter_map(|event| named(&event))
        .collect()
}

fn named(event: &AgentEvent) -> Option<&'static str> {
    Some(match event {
        AgentEvent::Ready { .. } => "ready",
        AgentEvent::MessageTaken { .. } => "taken",
        AgentEvent::TurnBegan => "began",
        AgentEvent::Delta { .. } => return None,
        AgentEvent::Block { .. } => "block",
        AgentEvent::ToolRequested { .. } => "requested",
        AgentEvent::Asked(_) => "asked",
        AgentEvent::AskWithdrawn { .. } => "withdrawn",
        AgentEvent::ToolFinished { .. } => "finished",
        AgentEvent::TurnFinished { .. } => "turn over",
        _ => "strange",
    })
}

#[tokio::test]
async fn a_turn_with_every_kind_of_step_is_understood() {
    let place = Place::new();
    let mut agent = place.start(&[]);
    agent.request("initialize_1", "initialize").await;
    agent
        .prompt(
            MESSAGE,
            "say one\nwrite a.txt text\nask Which? | A | B\nplan # Plan\nrun cat a.txt\nread b.txt",
        )
        .await;
    for _ in 0..5 {
        let asked = agent.next("control_request").await;
        agent.allow(&asked).await;
    }
    agent.next("result/success").await;
    let names = translated(&agent);
    assert!(!names.contains(&"strange"), "{names:?}");
    let count = |name| names.iter().filter(|&&found| found == name).count();
    assert_eq!(
        [
            count("taken"),
            count("began"),
            count("block"),
            count("requested"),
            count("asked"),
            count("finished"),
            count("turn over")
        ],
        [1, 1, 1, 5, 5, 5, 1],
        "{names:?}"
    );
    assert_eq!(names.last(), Some(&"turn over"));
}

#[tokio::test]
async fn an_interrupt_and_a_call_asked_again_are_understood() {
    let place = Place::new();
    let mut agent = place.start(&["--session-id", "one"]);
    agent.prompt(MESSAGE, "run touch never").await;
    agent.next("control_request").await;
    agent
        .request("cmd_0192f3a0000070008000000000000002", "interrupt")
        .await;
    agent.next("result").await;
    let names = translated(&agent);
    assert!(
        names.ends_with(&["asked", "withdrawn", "finished", "turn over"]),
        "{names:?}"
    );
    agent
        .prompt("0192f3a0-0000-7000-8000-000000000003", "run touch file")
        .await;
    agent.next("control_request").await;
    agent.kill().await;

    let mut agent = place.start(&["--resume", "one"]);
    agent.request("initialize_2", "initialize").await;
    agent.next("control_response").await;
    let asked = agent
        .heard
        .iter()
        .find(|line| line["type"] == "control_request")
        .cloned();
    let asked = match asked {
        Some(asked) => asked,
        None => agent.next("control_request").await,
    };
    agent
        .answer(&asked, json!({ "behavior": "deny", "message": "no" }))
        .await;
    agent.next("result/success").await;
    let names = translated(&agent);
    assert!(!names.contains(&"strange"), "{names:?}");
    assert_eq!(
        names.iter().filter(|&&name| name == "asked").count(),
        1,
        "{names:?}"
    );
}
