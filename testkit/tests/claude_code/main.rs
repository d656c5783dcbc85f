//! The real Claude Code against the scripted model: the proof that the endpoint speaks as a vendor's does.
//!
//! Each test holds one thing that Flotilla builds on, as the program really does it.

mod driver;
mod turn;

use driver::{Agent, Answer};
use serde_json::{Value, json};
use testkit::claude;
use testkit::model_endpoint::ModelEndpoint;
use turn::Turn;

#[tokio::test]
async fn plain_talk_streams() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    let turn = agent
        .turn("stream 20 5\nsay And that was it.", Answer::never())
        .await;
    assert!(turn.deltas.len() >= 20, "{:?}", turn.deltas);
    assert!(turn.text().contains("word-1 word-2"), "{}", turn.text());
    assert_eq!(turn.result["result"], "And that was it.");
    assert_eq!(turn.result["is_error"], false);
    assert_eq!(turn.result["stop_reason"], "end_turn");
    assert_eq!(turn.gates, Vec::<Value>::new());
}

#[tokio::test]
async fn prose_is_answered_with_an_echo() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    let turn = agent.turn("Good morning!", Answer::never()).await;
    assert!(turn.says("You said: “Good morning!”"), "{}", turn.result);
    assert!(model.saw_text("Good morning!"));
}

#[tokio::test]
async fn a_write_is_asked_for_and_allowed_and_done() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    let turn = agent
        .turn("write \"notes for you.txt\" one\\ntwo\\n", Answer::allow())
        .await;
    assert_eq!(turn.gates.len(), 1);
    assert_eq!(turn.gates[0]["tool_name"], "Write");
    assert_eq!(
        turn.gates[0]["input"]["file_path"],
        json!(agent.folder().join("notes for you.txt"))
    );
    assert_eq!(agent.read("notes for you.txt"), "one\ntwo\n");
    assert!(turn.says("File created successfully"), "{}", turn.result);
}

#[tokio::test]
async fn the_older_version_is_understood_too() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start_program(&model, claude::older_path()).await;
    let turn = agent
        .turn("write a.txt hello\nread a.txt", Answer::allow())
        .await;
    let version = turn
        .lines_of("init")
        .next()
        .map(|line| line["claude_code_version"].clone());
    assert_eq!(version, Some(json!(claude::OLDER_VERSION)));
    assert_eq!(turn.tools(), ["Write", "Read"]);
    assert!(turn.says("hello"), "{}", turn.result);
    let turn = agent
        .turn("run touch made", Answer::deny("Not on a Friday"))
        .await;
    assert!(turn.says("Not on a Friday"), "{}", turn.result);
}

#[tokio::test]
async fn every_kind_of_tool_is_asked_for() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    let turn = agent
        .turn(
            "read README.md\nedit README.md Shop \"Corner shop\"\nrun cat README.md",
            Answer::allow(),
        )
        .await;
    assert_eq!(turn.tools(), ["Read", "Edit", "Bash"]);
    assert_eq!(agent.read("README.md"), "# Corner shop\n");
    assert!(turn.says("# Corner shop"), "{}", turn.result);
}

#[tokio::test]
async fn the_reason_of_a_denial_reaches_the_model() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    let turn = agent
        .turn("run touch made", Answer::deny("Not on a Friday"))
        .await;
    assert_eq!(model.last_tool_results(), ["Not on a Friday"]);
    assert!(turn.says("Not on a Friday"), "{}", turn.result);
    assert!(!agent.folder().join("made").exists());
}

#[tokio::test]
async fn the_answer_to_a_question_reaches_the_model() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    let turn = agent
        .turn(
            "ask Which database? | SQLite: embedded | Postgres",
            Answer::choose(&[("Which database?", "Postgres")]),
        )
        .await;
    assert_eq!(turn.gates[0]["tool_name"], "AskUserQuestion");
    assert_eq!(
        turn.gates[0]["input"]["questions"][0]["options"][0]["description"],
        "embedded"
    );
    assert!(
        turn.says("\"Which database?\"=\"Postgres\""),
        "{}",
        turn.result
    );

    let turn = agent
        .turn(
            "askmany Which parts? | Wheels | Doors | Roof",
            Answer::choose(&[("Which parts?", "Wheels, Roof")]),
        )
        .await;
    assert_eq!(turn.gates[0]["input"]["questions"][0]["multiSelect"], true);
    assert!(turn.says("Wheels, Roof"), "{}", turn.result);
}

#[tokio::test]
async fn calls_together_open_a_gate_each() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    let script = "together\nwrite a.txt a\nwrite b.txt b\nread README.md\nend\nsay all three";
    let turn = agent.turn(script, Answer::allow()).await;
    let mut tools = turn.tools();
    tools.sort_unstable();
    assert_eq!(tools, ["Read", "Write", "Write"]);
    assert_eq!(model.last_tool_results().len(), 3);
    assert_eq!(
        model.requests().len(),
        2,
        "one message with three calls, and one after it"
    );
    assert_eq!(
        (agent.read("a.txt"), agent.read("b.txt")),
        ("a".to_owned(), "b".to_owned())
    );
}

#[tokio::test]
async fn an_overloaded_model_is_tried_again_and_given_up() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    let turn = agent.turn("error 529", Answer::never()).await;
    assert_eq!(turn.result["is_error"], true, "{}", turn.result);
    assert!(turn.says("529"), "{}", turn.result);
    assert!(
        turn.lines_of("api_retry").next().is_some(),
        "a retry is announced"
    );

    let turn = agent
        .turn("error 529 1\nsay recovered", Answer::never())
        .await;
    assert_eq!(
        (&turn.result["is_error"], &turn.result["result"]),
        (&json!(false), &json!("recovered"))
    );
}

fn in_the_middle(turn: &Turn) -> bool {
    turn.streamed().ends_with("broken off in the")
}

/// Plays a turn whose stream is broken once the agent has shown what came before the break.
async fn broken_turn(model: &ModelEndpoint, script: &str, reached: impl Fn(&Turn) -> bool) -> Turn {
    let mut agent = Agent::start(model).await;
    let mut turn = Turn::default();
    agent.say(script).await;
    agent.go_on(&mut turn, &Answer::never(), reached).await;
    model.break_stream();
    agent
        .go_on(&mut turn, &Answer::never(), Turn::has_ended)
        .await;
    turn
}

#[tokio::test]
async fn a_stream_that_breaks_in_its_first_block_is_asked_for_again_from_the_start() {
    let model = ModelEndpoint::start().await;
    let turn = broken_turn(&model, "cut\nsay whole again", in_the_middle).await;
    assert_eq!(turn.result["result"], "whole again", "{}", turn.result);
    assert_eq!(model.requests().len(), 2);
}

#[tokio::test]
async fn a_stream_that_breaks_in_a_later_block_is_asked_for_the_rest() {
    let model = ModelEndpoint::start().await;
    let turn = broken_turn(&model, "say so far so good\ncut\nsay and on", in_the_middle).await;
    assert_eq!(turn.text(), "so far so goodand on");
    assert_eq!(turn.result["result"], "and on");
    assert!(
        model.saw_text("cut off mid-stream"),
        "the agent asks the model to go on"
    );
}

#[tokio::test]
async fn a_stream_that_breaks_after_a_block_is_asked_for_the_rest() {
    let model = ModelEndpoint::start().await;
    let turn = broken_turn(&model, "say so far so good\ncutafter\nsay and on", |turn| {
        turn.text() == "so far so good"
    })
    .await;
    assert_eq!(turn.text(), "so far so goodand on");
    assert!(
        model.saw_text("cut off mid-stream"),
        "the agent asks the model to go on"
    );
}

#[tokio::test]
async fn a_turn_goes_on_where_it_was_after_a_resume() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    agent.turn("write a.txt a", Answer::allow()).await;
    let mut agent = agent.resumed(&model).await;
    let turn = agent.turn("read a.txt", Answer::allow()).await;
    assert!(turn.says("1\ta"), "{}", turn.result);
    assert!(
        model.saw_text("write a.txt a"),
        "the conversation is still there"
    );
}

#[tokio::test]
async fn a_subagent_plays_a_script_of_its_own_and_its_calls_are_asked_for() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    let turn = agent
        .turn(
            "agentwait write sub.txt from below\\nsay the subagent is done",
            Answer::allow(),
        )
        .await;
    assert_eq!(turn.tools(), ["Agent", "Write"]);
    assert!(turn.gates[1]["agent_id"].is_string(), "{}", turn.gates[1]);
    assert_eq!(agent.read("sub.txt"), "from below");
    assert!(
        turn.says("sub.txt"),
        "the subagent reports: {}",
        turn.result
    );
}

#[tokio::test]
async fn a_subagent_in_the_background_reports_in_a_turn_that_nobody_asked_for() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    let first = agent
        .turn("agent run echo from the depths", Answer::allow())
        .await;
    assert!(first.tools().contains(&"Agent"), "{:?}", first.gates);
    let second = agent.turn_end(Answer::allow()).await;
    assert_eq!(second.result["origin"]["kind"], "task-notification");
    assert!(second.says("from the depths"), "{}", second.result);
}

#[tokio::test]
async fn what_is_said_during_a_turn_reaches_the_model_in_that_turn() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    agent.say("run echo hi").await;
    let gate = agent.next_gate().await;
    agent.say("not so fast").await;
    agent.answer(&gate, &Answer::allow()).await;
    let turn = agent.turn_end(Answer::never()).await;
    assert!(
        turn.says("Meanwhile you said: “not so fast”"),
        "{}",
        turn.result
    );
}

#[tokio::test]
async fn a_plan_is_written_and_presented() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    let turn = agent
        .turn("planmode\nplan # Build it\\n\\nfirst this", Answer::allow())
        .await;
    assert_eq!(turn.tools(), ["EnterPlanMode", "Write", "ExitPlanMode"]);
    assert!(turn.says("first this"), "{}", turn.result);
}

#[tokio::test]
async fn thinking_comes_as_thinking() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    let turn = agent
        .turn("think Let me see.\nsay Seen.", Answer::never())
        .await;
    assert!(
        turn.blocks()
            .any(|block| block["type"] == "thinking" && block["thinking"] == "Let me see.")
    );
    assert_eq!(turn.result["result"], "Seen.");
}
