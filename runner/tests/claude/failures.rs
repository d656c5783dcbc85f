//! A model's endpoint that fails: what a person is told, and that nothing half-said stays.

use std::collections::BTreeSet;

use nats::event::TurnOutcome;
use runner::agent::AgentEvent;
use testkit::claude;
use testkit::model_endpoint::ModelEndpoint;

use crate::driver::Agent;

#[tokio::test]
async fn a_refused_request_is_the_turns_error_and_not_a_message_as_well() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    for (status, retried) in [(400, false), (401, true), (529, true)] {
        let mark = agent.said.len();
        agent.say(&format!("error {status}")).await;
        let ending = agent.ended().await;
        assert_eq!(ending.outcome, TurnOutcome::Failed, "{status}");
        let error = ending.error.unwrap_or_default();
        assert!(error.contains(&status.to_string()), "{status}: {error}");
        let told = agent.told_since(mark);
        assert!(!told.contains("block  "), "{status}: {told}");
        assert_eq!(
            told.contains("retrying   1 of 1"),
            retried,
            "{status}: {told}"
        );
        assert_eq!(told.matches(&error).count(), 1, "{status}: {told}");
    }
    agent.say("say recovered").await;
    assert_eq!(
        agent.ended().await.outcome,
        TurnOutcome::Completed,
        "it lives on"
    );
}

#[tokio::test]
async fn a_refusal_that_passes_is_only_a_retry() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    agent.say("error 529 1\nsay recovered").await;
    assert_eq!(agent.ended().await.outcome, TurnOutcome::Completed);
    let told = agent.told_since(0);
    assert!(
        told.contains("retrying   1 of 1") && told.contains("recovered"),
        "{told}"
    );
}

/// Every block that was shown is final in the end, and those that broke are void.
fn nothing_stale(agent: &Agent) -> String {
    let mut shown = BTreeSet::new();
    for event in &agent.said {
        match event {
            AgentEvent::Delta { message, block, .. } => {
                shown.insert((message, block));
            }
            AgentEvent::Block { message, block, .. } => {
                shown.remove(&(message, block));
            }
            _ => {}
        }
    }
    let told = agent.told_since(0);
    assert!(shown.is_empty(), "stale text of {shown:?} in:\n{told}");
    told
}

async fn broken(program: std::path::PathBuf, script: &str, reached: &str) -> (Agent, TurnOutcome) {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start_program(&model, program).await;
    agent.say(script).await;
    let streamed = std::cell::RefCell::new(String::new());
    agent
        .until("the text before the break", |event| {
            if let AgentEvent::Delta { text, .. } = event {
                streamed.borrow_mut().push_str(text);
            }
            streamed.borrow().ends_with(reached)
        })
        .await;
    model.break_stream();
    let ending = agent.ended().await;
    (agent, ending.outcome)
}

#[tokio::test]
async fn a_stream_that_breaks_in_a_block_leaves_nothing_of_it() {
    for program in [claude::path(), claude::older_path()] {
        let (agent, outcome) =
            broken(program.clone(), "cut\nsay whole again", "broken off in the").await;
        assert_eq!(outcome, TurnOutcome::Completed, "{}", program.display());
        let told = nothing_stale(&agent);
        assert!(told.contains("\"whole again\""), "{told}");
        assert!(told.contains("given up"), "{told}");
    }
}

#[tokio::test]
async fn a_stream_that_breaks_later_keeps_what_was_finished() {
    // The older version does not go on by itself: see the next test.
    let (agent, outcome) = broken(
        claude::newest_path(),
        "say so far so good\ncut\nsay and on",
        "broken off in the",
    )
    .await;
    assert_eq!(outcome, TurnOutcome::Completed);
    let told = nothing_stale(&agent);
    assert!(
        told.contains("Text \"so far so good\"") && told.contains("Text \"and on\""),
        "{told}"
    );
}

#[tokio::test]
async fn what_the_older_version_cannot_finish_is_a_failure_that_keeps_what_was_said() {
    let (agent, outcome) = broken(
        claude::older_path(),
        "say so far so good\ncutafter",
        "so far so good",
    )
    .await;
    assert_eq!(outcome, TurnOutcome::Failed);
    let told = nothing_stale(&agent);
    assert!(told.contains("Text \"so far so good\""), "{told}");
    assert_eq!(
        told.matches("Connection closed mid-response").count(),
        1,
        "{told}"
    );
}
