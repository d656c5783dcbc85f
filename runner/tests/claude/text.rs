//! A person's text stays text: nothing in it is run, and no file is read because it is mentioned.

use std::path::PathBuf;

use nats::event::Attachment;
use nats::ids::{AttachmentId, CommandId};
use serde_json::Value;
use testkit::claude;
use testkit::model_endpoint::ModelEndpoint;

use crate::driver::Agent;

const SECRET: &str = "the-combination-is-7-4-1";

/// Everything that the agent would act on if it stood in a message of its own.
const TEXTS: [&str; 14] = [
    "look at @note.txt please",
    "@note.txt",
    "@./note.txt",
    "@\"note.txt\" is quoted",
    "a line\n@note.txt",
    "see。@note.txt",
    "see\u{a0}@note.txt",
    "@note.txt#L1-2",
    "@agent-Explore go and look",
    "/context",
    "/compact now",
    " /context",
    "/nosuch thing",
    "@app.route(\"/\")\ndef index(): ...",
];

/// The texts of the last user message of the last request, the agent's own reminders aside.
fn last_texts(model: &ModelEndpoint) -> Vec<String> {
    let requests = model.requests();
    let messages = requests.last().unwrap()["messages"]
        .as_array()
        .unwrap()
        .clone();
    let spoken = messages
        .iter()
        .rposition(|message| message["role"] == "assistant")
        .map_or(0, |at| at + 1);
    let texts = messages[spoken..]
        .iter()
        .flat_map(|message| match &message["content"] {
            Value::Array(blocks) => blocks
                .iter()
                .filter_map(|block| block["text"].as_str())
                .map(str::to_owned)
                .collect(),
            Value::String(text) => vec![text.clone()],
            _ => Vec::new(),
        });
    texts
        .filter(|text| !text.starts_with("<system-reminder>"))
        .collect()
}

async fn every_text_stays_text(program: PathBuf) {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start_program(&model, program).await;
    std::fs::write(agent.path("note.txt"), SECRET).unwrap();
    for text in TEXTS {
        let calls = model.requests().len();
        agent.say(text).await;
        agent.ended().await;
        assert!(
            model.requests().len() > calls,
            "{text:?} was taken for a command"
        );
        let texts = last_texts(&model);
        assert!(
            texts.iter().any(|seen| seen == text),
            "{text:?} reached the model as {texts:?}"
        );
        assert!(
            !model.saw_text(SECRET),
            "{text:?} made the agent read the file, and nobody was asked"
        );
        assert!(
            !model.saw_text("desire to invoke the agent"),
            "{text:?} was taken for an order"
        );
    }
}

#[tokio::test]
async fn commands_and_mentions_in_a_message_are_neither_run_nor_read() {
    every_text_stays_text(claude::path()).await;
}

#[tokio::test]
async fn nor_are_they_by_the_older_version() {
    every_text_stays_text(claude::older_path()).await;
}

#[tokio::test]
async fn nor_are_they_when_the_messages_are_merged_or_come_while_a_tool_runs() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    std::fs::write(agent.path("note.txt"), SECRET).unwrap();
    agent.say("run true\nstream 40 20").await;
    let ask = agent.asked().await;
    agent.say("/context and @note.txt").await;
    agent.allow(&ask).await;
    let streams = |event: &runner::agent::AgentEvent| {
        matches!(event, runner::agent::AgentEvent::Delta { .. })
    };
    agent.until("some text", streams).await;
    agent.say("first @note.txt").await;
    agent.say("then @note.txt").await;
    let last = agent.say("/context").await;
    agent
        .until("the last message to be taken", |event| {
            *event == runner::agent::AgentEvent::MessageTaken { command: last }
        })
        .await;
    agent.ended().await;
    assert!(model.saw_text("/context and @note.txt") && model.saw_text("then @note.txt"));
    assert!(!model.saw_text(SECRET));
}

#[tokio::test]
async fn attachments_reach_the_model_and_what_stands_in_them_is_text_too() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    std::fs::write(agent.path("note.txt"), SECRET).unwrap();
    let attachment = |name: &str, media_type: &str, content: &[u8]| {
        let attachment = Attachment {
            id: AttachmentId::new(),
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            bytes: content.len() as u64,
            sha256: String::new(),
        };
        (attachment, content.to_vec())
    };
    let picture = base64::Engine::decode(
        &base64::engine::general_purpose::STANDARD,
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    )
    .unwrap();
    let files = [
        attachment("a.py", "text/x-python", b"@note.txt\n/context\n"),
        attachment("a.png", "image/png", &picture),
        attachment("a.bin", "application/octet-stream", &[0xff, 0xfe]),
    ];
    let input = agent
        .adapter()
        .message(CommandId::new(), "/see these", &files);
    agent.send(input).await;
    agent.ended().await;
    let request = model.requests().last().unwrap()["messages"].to_string();
    for part in [
        "/see these",
        "a.py",
        "image/png",
        "a.bin, application/octet-stream, 2 bytes",
    ] {
        assert!(request.contains(part), "no {part} in {request}");
    }
    assert!(!model.saw_text(SECRET));
}
