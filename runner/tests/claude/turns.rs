//! Turns: one after the other, interrupted, begun by nobody, gone on with by another process.

use nats::event::{ToolOutcome, TurnOutcome};
use nats::ids::CommandId;
use runner::agent::AgentEvent;
use testkit::model_endpoint::ModelEndpoint;

use crate::driver::Agent;

fn is_delta(event: &AgentEvent) -> bool {
    matches!(event, AgentEvent::Delta { .. })
}

#[tokio::test]
async fn it_is_ready_before_anything_is_said_and_says_its_model_with_the_first_turn() {
    let model = ModelEndpoint::start().await;
    // The older version says its own version with the first turn only.
    let mut agent = Agent::start_program(&model, testkit::claude::newest_path()).await;
    let ready = agent
        .until("the handshake", |event| {
            matches!(event, AgentEvent::Ready { .. })
        })
        .await;
    let version = Some(testkit::claude::VERSION.to_owned());
    assert_eq!(
        ready,
        AgentEvent::Ready {
            version: version.clone(),
            model: None
        }
    );
    agent.say("say one").await;
    agent.ended().await;
    agent.say("say two").await;
    agent.ended().await;
    let told: Vec<&AgentEvent> = agent
        .said
        .iter()
        .filter(|event| matches!(event, AgentEvent::Ready { model: Some(_), .. }))
        .collect();
    assert_eq!(told.len(), 1, "only news are told: {told:?}");
}

#[tokio::test]
async fn a_message_is_taken_up_in_its_turn_and_text_streams_before_it_is_final() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    for text in ["think Hm.\nstream 30 3\nsay Done.", "say again"] {
        let mark = agent.said.len();
        let command = agent.say(text).await;
        assert_eq!(agent.ended().await.outcome, TurnOutcome::Completed);
        let told = agent.told_since(mark);
        let at = |wanted: &str| {
            told.find(wanted)
                .unwrap_or_else(|| panic!("no `{wanted}` in:\n{told}"))
        };
        assert!(at("TURN") < at(&format!("taken      {command}")), "{told}");
        assert!(
            at("delta") < at("block") && at("block") < at("END"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn an_interruption_keeps_what_was_said_and_ends_the_turn_as_interrupted() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    agent.say("say First.\nstream 2000 20").await;
    agent
        .until("some text", |event| {
            matches!(event, AgentEvent::Delta { block: 1, .. })
        })
        .await;
    agent.interrupt().await;
    let ending = agent.ended().await;
    assert_eq!(
        (ending.outcome, ending.error),
        (TurnOutcome::Interrupted, None)
    );
    let told = agent.told_since(0);
    let half = agent.said.iter().any(|event| {
        matches!(event, AgentEvent::Block { block: 1, text, .. } if text.starts_with("word-1"))
    });
    assert!(half, "the half block becomes final:\n{told}");
    agent.say("say more").await;
    assert_eq!(
        agent.ended().await.outcome,
        TurnOutcome::Completed,
        "it lives on"
    );
}

#[tokio::test]
async fn an_interruption_takes_back_what_was_asked() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    agent.say("run touch made").await;
    let ask = agent.asked().await;
    agent.interrupt().await;
    let withdrawn = agent
        .until("the withdrawal", |event| {
            matches!(event, AgentEvent::AskWithdrawn { .. })
        })
        .await;
    assert_eq!(
        withdrawn,
        AgentEvent::AskWithdrawn {
            request: ask.request.clone()
        }
    );
    let done = agent
        .until("the end of the call", |event| {
            matches!(event, AgentEvent::ToolFinished { .. })
        })
        .await;
    assert!(
        matches!(
            done,
            AgentEvent::ToolFinished {
                outcome: ToolOutcome::Interrupted,
                ..
            }
        ),
        "{done:?}"
    );
    assert_eq!(agent.ended().await.outcome, TurnOutcome::Interrupted);
    // An answer that comes too late changes nothing.
    agent.allow(&ask).await;
    agent.say("say more").await;
    assert_eq!(agent.ended().await.outcome, TurnOutcome::Completed);
    assert!(!agent.path("made").exists());
}

#[tokio::test]
async fn a_tool_that_is_interrupted_has_not_failed() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    agent.say("run touch began; sleep 600").await;
    let ask = agent.asked().await;
    agent.allow(&ask).await;
    let began = agent.path("began");
    testkit::wait::until(
        "the tool to run",
        std::time::Duration::from_secs(30),
        async || {
            if began.exists() {
                Ok(())
            } else {
                Err("not yet".to_owned())
            }
        },
    )
    .await;
    agent.interrupt().await;
    let done = agent
        .until("the end of the call", |event| {
            matches!(event, AgentEvent::ToolFinished { .. })
        })
        .await;
    assert!(
        matches!(
            done,
            AgentEvent::ToolFinished {
                outcome: ToolOutcome::Interrupted,
                ..
            }
        ),
        "{done:?}"
    );
    assert_eq!(agent.ended().await.outcome, TurnOutcome::Interrupted);
}

#[tokio::test]
async fn messages_of_a_running_turn_are_merged_and_each_is_taken_up() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    agent.say("stream 40 20").await;
    agent.until("some text", is_delta).await;
    let second = agent.say("say second").await;
    let third = agent.say("say third").await;
    agent.ended().await;
    let mut taken = Vec::new();
    while taken.len() < 2 {
        let event = agent.until("the messages to be taken", |event| {
            matches!(event, AgentEvent::MessageTaken { .. })
        });
        let AgentEvent::MessageTaken { command } = event.await else {
            unreachable!()
        };
        taken.push(command);
    }
    assert_eq!(taken, [second, third]);
    assert_eq!(agent.ended().await.outcome, TurnOutcome::Completed);
}

#[tokio::test]
async fn work_in_the_background_begins_a_turn_that_nobody_asked_for() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    agent
        .say("tool Bash {\"command\":\"sleep 1; echo done\",\"run_in_background\":true}")
        .await;
    let ask = agent.asked().await;
    assert_eq!(
        ask.risks,
        ["goes on in the background after the call has returned"]
    );
    agent.allow(&ask).await;
    agent.ended().await;
    let mark = agent.said.len();
    agent
        .until("a turn of its own", |event| *event == AgentEvent::TurnBegan)
        .await;
    agent.ended().await;
    let told = agent.told_since(mark);
    assert!(
        told.contains("background_work_ended") && !told.contains("taken"),
        "{told}"
    );
}

#[tokio::test]
async fn a_conversation_goes_on_in_another_process() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    agent.say("say My name is Ada.").await;
    agent.ended().await;
    agent.stop_after_writing("My name is Ada.").await;
    agent.start_again().await;
    agent.say("say Still here.").await;
    assert_eq!(agent.ended().await.outcome, TurnOutcome::Completed);
    assert!(
        model.requests().last().unwrap()["messages"]
            .to_string()
            .contains("My name is Ada.")
    );
}

#[tokio::test]
async fn a_transcript_that_came_from_another_folder_is_gone_on_with() {
    for program in [testkit::claude::path(), testkit::claude::older_path()] {
        let model = ModelEndpoint::start().await;
        let mut agent = Agent::start_program(&model, program).await;
        agent.say("say My name is Ada.").await;
        agent.ended().await;
        // Killed first: the end of a transcript is written a moment after the result.
        agent.stop_after_writing("My name is Ada.").await;
        let projects = agent.home().join(".claude/projects");
        let own = std::fs::read_dir(&projects)
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        std::fs::rename(own, projects.join("-srv-worktrees-of-another-host")).unwrap();
        agent.start_again().await;
        agent.say("say Still here.").await;
        assert_eq!(agent.ended().await.outcome, TurnOutcome::Completed);
        assert!(
            model.requests().last().unwrap()["messages"]
                .to_string()
                .contains("My name is Ada.")
        );
    }
}

#[tokio::test]
async fn a_long_conversation_is_put_into_fewer_words() {
    let model = ModelEndpoint::start().await;
    // The older version finds so short a conversation not worth it.
    let mut agent = Agent::start_program(&model, testkit::claude::newest_path()).await;
    agent.say("say one").await;
    agent.ended().await;
    let compact = agent.adapter().compact(CommandId::new());
    agent.send(compact).await;
    agent
        .until(
            "the notice",
            |event| matches!(event, AgentEvent::Notice { code, .. } if code == "compacted"),
        )
        .await;
    assert_eq!(agent.ended().await.outcome, TurnOutcome::Completed);
}
