//! The scripted model as a program, and what it says to a plain HTTP client.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's own helper fails the test"
)]

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::model_endpoint::ModelEndpoint;
use testkit::wait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

const BOUND: Duration = Duration::from_secs(20);

/// Status, and the body as it came.
async fn request(url: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all((head + body).as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

fn asking(prompt: &str) -> Value {
    json!({
        "model": "some-model",
        "max_tokens": 100,
        "tools": [{"name": "Bash"}],
        "messages": [{"role": "user", "content": prompt}],
    })
}

async fn post(model: &ModelEndpoint, request_body: &Value) -> (u16, Value) {
    let (status, body) = request(
        &model.url(),
        "POST",
        "/v1/messages?beta=true",
        &request_body.to_string(),
    )
    .await;
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test]
async fn a_request_without_a_stream_gets_the_whole_message() {
    let model = ModelEndpoint::start().await;
    let (status, message) = post(&model, &asking("think hm\nsay hello\nrun ls")).await;
    assert_eq!(status, 200);
    let kinds: Vec<&str> = message["content"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|block| block["type"].as_str())
        .collect();
    assert_eq!(kinds, ["thinking", "text", "tool_use"]);
    assert_eq!(
        (&message["stop_reason"], &message["model"]),
        (&json!("tool_use"), &json!("some-model"))
    );
    assert_eq!(model.requests(), [asking("think hm\nsay hello\nrun ls")]);
}

#[tokio::test]
async fn a_request_without_tools_gets_a_short_answer_in_the_shape_it_asks_for() {
    let model = ModelEndpoint::start().await;
    let mut aside = asking("run ls");
    aside["tools"] = json!([]);
    let (_, message) = post(&model, &aside).await;
    assert_eq!(message["content"][0]["text"], "A scripted session");
    aside["output_config"] = json!({"format": {"type": "json_schema", "schema": {"properties": {"title": {"type": "string"}}}}});
    let (_, message) = post(&model, &aside).await;
    assert_eq!(
        message["content"][0]["text"],
        "{\"title\":\"A scripted session\"}"
    );
}

#[tokio::test]
async fn a_refusal_looks_like_the_vendors() {
    let model = ModelEndpoint::start().await;
    let (status, error) = post(&model, &asking("error 529 1\nsay better now")).await;
    assert_eq!(
        (status, &error["error"]["type"]),
        (529, &json!("overloaded_error"))
    );
    let (status, message) = post(&model, &asking("error 529 1\nsay better now")).await;
    assert_eq!(
        (status, &message["content"][0]["text"]),
        (200, &json!("better now"))
    );
}

#[tokio::test]
async fn the_other_routes_are_there() {
    let model = ModelEndpoint::start().await;
    assert_eq!(request(&model.url(), "HEAD", "/", "").await.0, 200);
    assert_eq!(request(&model.url(), "GET", "/v1/nothing", "").await.0, 404);
    let (status, count) = request(
        &model.url(),
        "POST",
        "/v1/messages/count_tokens",
        &asking("hi").to_string(),
    )
    .await;
    assert_eq!(status, 200);
    assert!(
        serde_json::from_str::<Value>(&count).unwrap()["input_tokens"]
            .as_u64()
            .unwrap()
            > 10
    );
}

async fn program(folder: &TempDir) -> (Child, String) {
    let ready = folder.path().join("ready file");
    let process = Command::new(env!("CARGO_BIN_EXE_scripted-model"))
        .args(["--port", "0", "--ready-file"])
        .arg(&ready)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let url = wait::until("the ready file", BOUND, async || {
        fs::read_to_string(&ready).map_err(|error| error.to_string())
    })
    .await;
    (process, url.trim().to_owned())
}

#[tokio::test]
async fn the_program_tells_its_url_and_keeps_the_requests() {
    let folder = tempfile::tempdir().unwrap();
    let (mut process, url) = program(&folder).await;
    let (status, body) = request(
        &url,
        "POST",
        "/v1/messages",
        &asking("say hello").to_string(),
    )
    .await;
    assert_eq!(status, 200, "{body}");
    let (_, kept) = request(&url, "GET", "/requests", "").await;
    assert_eq!(
        serde_json::from_str::<Value>(&kept).unwrap(),
        json!([asking("say hello")])
    );

    process.kill().await.unwrap();
    let mut printed = String::new();
    process
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut printed)
        .await
        .unwrap();
    assert_eq!(printed.trim(), url);
}
