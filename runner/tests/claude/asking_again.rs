//! A process is killed while it waits for a person: the next one asks for the same call.
//!
//! On both versions, because the mark that does it is nothing that the agent's vendor has promised.

mod refused;

use std::io::Write;
use std::path::PathBuf;

use nats::event::{GateKind, ToolOutcome, TurnOutcome};
use runner::agent::{AgentEvent, Ask, AskAgainError};
use serde_json::json;
use testkit::claude;
use testkit::model_endpoint::ModelEndpoint;

use crate::driver::Agent;

fn both() -> [PathBuf; 2] {
    [claude::path(), claude::older_path()]
}

/// An agent that was told the script, and waits for its first call.
async fn waiting(model: &ModelEndpoint, program: PathBuf, script: &str) -> (Agent, Ask) {
    let mut agent = Agent::start_program(model, program).await;
    agent.say(script).await;
    let ask = agent.asked().await;
    (agent, ask)
}

/// Kills the agent while it waits for an answer to `ask`; the next one asks the same, without being told anything.
async fn asked_again(agent: &mut Agent, ask: &Ask) -> Ask {
    agent.stop_after_writing(&ask.tool_use).await;
    agent.ask_again(ask).unwrap();
    agent.start_again().await;
    let again = agent.asked().await;
    assert_ne!(again.request, ask.request);
    let request = ask.request.clone();
    assert_eq!(
        &Ask {
            request,
            ..again.clone()
        },
        ask
    );
    again
}

/// What the model heard as a failure, in all that it was ever told.
fn failures_told(model: &ModelEndpoint) -> Vec<String> {
    let mut told = Vec::new();
    for request in model.requests() {
        for message in request["messages"].as_array().into_iter().flatten() {
            for block in message["content"].as_array().into_iter().flatten() {
                if block["is_error"] == true {
                    told.push(block["content"].to_string());
                }
            }
        }
    }
    told.dedup();
    told
}

/// How often a call stands in the newest conversation.
fn times_in_newest(model: &ModelEndpoint, tool_use: &str) -> usize {
    let newest = model.requests().pop().unwrap();
    newest["messages"]
        .to_string()
        .matches(&format!("\"id\":\"{tool_use}\""))
        .count()
}

fn said(agent: &Agent, words: &str) -> bool {
    agent
        .said
        .iter()
        .any(|event| matches!(event, AgentEvent::Block { text, .. } if text.contains(words)))
}

/// What the newer version tells the model of each of several calls that a process left behind. It is true, and the
/// only failure that nobody gave; the older version drops such calls in silence.
const LEFT_BEHIND: &str =
    "[Tool call interrupted: the session ended before this call's result was recorded";

/// A plain next process: the call is not asked again, the model hears of no denial, and the conversation goes on.
async fn carries_on(model: &ModelEndpoint, agent: &mut Agent) {
    agent.start_again().await;
    let message = agent.say("say carry on").await;
    let taken = AgentEvent::MessageTaken { command: message };
    agent
        .until("the message to be taken", |event| *event == taken)
        .await;
    assert_eq!(agent.ended().await.outcome, TurnOutcome::Completed);
    assert!(model.saw_text("say carry on"));
    let failures = failures_told(model);
    assert!(
        failures.iter().all(|told| told.contains(LEFT_BEHIND)),
        "{failures:?}"
    );
}

#[tokio::test]
async fn an_allowed_call_is_done_once_and_the_turn_goes_on_to_its_end() {
    for program in both() {
        let model = ModelEndpoint::start().await;
        let script = "say First.\nwrite one.txt one\nsay Then.\nwrite two.txt two\nsay Last.";
        let (mut agent, ask) = waiting(&model, program, script).await;
        let again = asked_again(&mut agent, &ask).await;
        assert!(
            !agent.path("one.txt").exists(),
            "nothing runs before the answer"
        );
        agent.allow(&again).await;
        let next = agent.asked().await;
        assert_eq!(next.input["content"], "two");
        assert_eq!(agent.content("one.txt"), "one");
        agent.allow(&next).await;
        assert_eq!(agent.ended().await.outcome, TurnOutcome::Completed);
        assert!(said(&agent, "Last."), "{}", agent.told_since(0));
        assert_eq!(agent.content("two.txt"), "two");
        assert_eq!(times_in_newest(&model, &ask.tool_use), 1);
        assert_eq!(failures_told(&model), [""; 0]);
    }
}

#[tokio::test]
async fn a_no_is_told_word_for_word() {
    for program in both() {
        let model = ModelEndpoint::start().await;
        let (mut agent, ask) = waiting(&model, program, "write one.txt one\nsay understood").await;
        let again = asked_again(&mut agent, &ask).await;
        let reason = "Not in this file: \"two.txt\" is meant. ✋";
        agent.deny(&again, reason).await;
        assert_eq!(agent.ended().await.outcome, TurnOutcome::Completed);
        assert_eq!(model.last_tool_results(), [reason]);
        assert_eq!(failures_told(&model), [json!(reason).to_string()]);
        assert!(said(&agent, "understood") && !agent.path("one.txt").exists());
        let denied = |event: &&AgentEvent| {
            matches!(
                event,
                AgentEvent::ToolFinished {
                    outcome: ToolOutcome::Denied,
                    ..
                }
            )
        };
        assert_eq!(agent.said.iter().filter(denied).count(), 1);
    }
}

#[tokio::test]
async fn a_question_is_answered_by_the_next_process() {
    for program in both() {
        let model = ModelEndpoint::start().await;
        let script = "ask Which database? | SQLite | Postgres\nsay noted";
        let (mut agent, ask) = waiting(&model, program, script).await;
        let again = asked_again(&mut agent, &ask).await;
        assert_eq!((again.kind, again.questions.len()), (GateKind::Question, 1));
        agent
            .choose(&again, &[("Which database?", json!("Postgres"))])
            .await;
        assert_eq!(agent.ended().await.outcome, TurnOutcome::Completed);
        assert!(model.last_tool_results()[0].contains("\"Which database?\"=\"Postgres\""));
        assert_eq!(failures_told(&model), [""; 0]);
    }
}

#[tokio::test]
async fn a_plan_is_approved_in_the_next_process_and_sent_back_in_the_one_after() {
    for program in both() {
        let model = ModelEndpoint::start().await;
        let script = "planmode\nplan # This\nplan # That\nwrite one.txt one";
        let (mut agent, mut ask) = waiting(&model, program, script).await;
        let mut plans = Vec::new();
        while ask.tool != "Write" || !ask.input["file_path"].to_string().contains("one.txt") {
            if ask.kind != GateKind::Plan {
                agent.allow(&ask).await;
            } else {
                let again = asked_again(&mut agent, &ask).await;
                plans.push(again.plan.clone().unwrap());
                if plans.len() == 1 {
                    agent.deny(&again, "That, please.").await;
                } else {
                    agent.allow(&again).await;
                }
            }
            ask = agent.asked().await;
        }
        assert!(
            plans[0].contains("This") && plans[1].contains("That"),
            "{plans:?}"
        );
        agent.allow(&ask).await;
        agent.ended().await;
        assert_eq!(failures_told(&model), [json!("That, please.").to_string()]);
    }
}

#[tokio::test]
async fn the_second_call_of_a_turn_is_asked_again_and_the_first_is_not() {
    for program in both() {
        let model = ModelEndpoint::start().await;
        let (mut agent, read) = waiting(
            &model,
            program,
            "read README.md\nedit README.md Shop Store\nsay done",
        )
        .await;
        agent.allow(&read).await;
        let edit = agent.asked().await;
        let again = asked_again(&mut agent, &edit).await;
        agent.allow(&again).await;
        assert_eq!(agent.ended().await.outcome, TurnOutcome::Completed);
        assert_eq!(agent.content("README.md"), "# Store\n");
        assert_eq!(times_in_newest(&model, &read.tool_use), 1);
        assert_eq!(failures_told(&model), [""; 0]);
    }
}

#[tokio::test]
async fn the_last_of_calls_made_together_is_asked_again_when_the_others_are_done() {
    for program in both() {
        let model = ModelEndpoint::start().await;
        let script = "together\nread README.md\nread README.md\nwrite one.txt one\nend\nsay done";
        let (mut agent, first) = waiting(&model, program, script).await;
        let second = agent.asked().await;
        agent.allow(&second).await;
        agent.allow(&first).await;
        let last = agent.asked().await;
        assert_eq!(last.tool, "Write");
        // Results are written a moment after they are told; without them it could not be asked again.
        agent
            .until_written("two results", |text| {
                text.matches("\"tool_result\"").count() >= 2
            })
            .await;
        let again = asked_again(&mut agent, &last).await;
        agent.allow(&again).await;
        assert_eq!(agent.ended().await.outcome, TurnOutcome::Completed);
        assert_eq!(agent.content("one.txt"), "one");
        assert_eq!(model.last_tool_results().len(), 3);
        assert_eq!(failures_told(&model), [""; 0]);
    }
}

#[tokio::test]
async fn it_is_asked_once_however_often_and_by_however_many_processes() {
    for program in both() {
        let model = ModelEndpoint::start().await;
        let (mut agent, ask) = waiting(&model, program, "write one.txt one\nsay done").await;
        let mut again = asked_again(&mut agent, &ask).await;
        for _ in 0..2 {
            agent.ask_again(&ask).unwrap();
            again = asked_again(&mut agent, &again).await;
        }
        let transcript = std::fs::read_to_string(agent.transcript().unwrap()).unwrap();
        assert_eq!(transcript.matches("\"hook_deferred_tool\"").count(), 1);
        agent.allow(&again).await;
        assert_eq!(agent.ended().await.outcome, TurnOutcome::Completed);
        assert_eq!(agent.content("one.txt"), "one");
        assert_eq!(times_in_newest(&model, &ask.tool_use), 1);
        assert_eq!(failures_told(&model), [""; 0]);
        // Answered now: the mark is void, and the next process asks for nothing.
        agent.stop_after_writing("done").await;
        let error = agent.ask_again(&ask).unwrap_err();
        assert!(matches!(error, AskAgainError::NotAtTheEnd), "{error}");
        carries_on(&model, &mut agent).await;
    }
}

#[tokio::test]
async fn a_line_that_the_kill_tore_does_not_hinder_now_or_later() {
    for program in both() {
        let model = ModelEndpoint::start().await;
        let (mut agent, ask) = waiting(&model, program, "write one.txt one\nsay done").await;
        agent.stop_after_writing(&ask.tool_use).await;
        let mut file = std::fs::File::options()
            .append(true)
            .open(agent.transcript().unwrap())
            .unwrap();
        file.write_all(b"{\"parentUuid\":\"0199d3a4-").unwrap();
        let again = asked_again(&mut agent, &ask).await;
        agent.allow(&again).await;
        assert_eq!(agent.ended().await.outcome, TurnOutcome::Completed);
        agent.stop_after_writing("done").await;
        carries_on(&model, &mut agent).await;
        assert_eq!(times_in_newest(&model, &ask.tool_use), 1);
    }
}

#[tokio::test]
async fn a_call_is_asked_again_from_a_transcript_of_another_folder() {
    for program in both() {
        let model = ModelEndpoint::start().await;
        let (mut agent, ask) = waiting(&model, program, "write one.txt one\nsay done").await;
        agent.stop_after_writing(&ask.tool_use).await;
        let folder = agent.transcript().unwrap().parent().unwrap().to_owned();
        std::fs::rename(
            &folder,
            folder.with_file_name("-srv-worktrees-of-another-host"),
        )
        .unwrap();
        let again = asked_again(&mut agent, &ask).await;
        agent.allow(&again).await;
        assert_eq!(agent.ended().await.outcome, TurnOutcome::Completed);
        assert_eq!(agent.content("one.txt"), "one");
        assert_eq!(failures_told(&model), [""; 0]);
    }
}

#[tokio::test]
async fn a_message_that_comes_meanwhile_waits_for_the_turn_to_end() {
    for program in both() {
        let model = ModelEndpoint::start().await;
        let (mut agent, ask) = waiting(&model, program, "write one.txt one\nsay done").await;
        let again = asked_again(&mut agent, &ask).await;
        let message = agent.say("say second").await;
        agent.allow(&again).await;
        assert_eq!(agent.ended().await.outcome, TurnOutcome::Completed);
        let taken = AgentEvent::MessageTaken { command: message };
        assert!(said(&agent, "done") && !agent.said.contains(&taken));
        assert_eq!(agent.ended().await.outcome, TurnOutcome::Completed);
        assert!(said(&agent, "second") && agent.said.contains(&taken));
        assert_eq!(failures_told(&model), [""; 0]);
    }
}

#[tokio::test]
async fn work_in_the_background_dies_with_the_process_and_the_call_is_asked_again() {
    for program in both() {
        let model = ModelEndpoint::start().await;
        let script = "tool Bash {\"command\":\"sleep 600\",\"run_in_background\":true}\nwrite one.txt one\nsay done";
        let (mut agent, background) = waiting(&model, program, script).await;
        agent.allow(&background).await;
        let ask = agent.asked().await;
        let again = asked_again(&mut agent, &ask).await;
        agent.allow(&again).await;
        let mark = agent.said.len();
        // That the work is over is a turn of its own, in which nothing is said.
        while !agent.told_since(mark).contains("The tools answered") {
            let ending = agent.ended().await;
            assert_eq!(
                ending.outcome,
                TurnOutcome::Completed,
                "{}",
                agent.told_since(0)
            );
        }
        assert_eq!(agent.content("one.txt"), "one");
        assert_eq!(failures_told(&model), [""; 0]);
    }
}

#[tokio::test]
async fn an_interruption_withdraws_what_was_asked_again() {
    for program in both() {
        let model = ModelEndpoint::start().await;
        let (mut agent, ask) = waiting(&model, program, "write one.txt one\nsay done").await;
        let again = asked_again(&mut agent, &ask).await;
        agent.interrupt().await;
        assert_eq!(agent.ended().await.outcome, TurnOutcome::Interrupted);
        let withdrawn = AgentEvent::AskWithdrawn {
            request: again.request.clone(),
        };
        assert!(agent.said.contains(&withdrawn), "{}", agent.told_since(0));
        let stopped = |event: &AgentEvent| {
            matches!(
                event,
                AgentEvent::ToolFinished {
                    outcome: ToolOutcome::Interrupted,
                    ..
                }
            )
        };
        assert!(agent.said.iter().any(stopped));
        assert!(!agent.path("one.txt").exists());
    }
}
