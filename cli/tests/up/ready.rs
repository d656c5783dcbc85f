//! What `up` tells once all is up.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::installation::{Installation, Ready, is_alive};

async fn get(url: String) -> reqwest::Response {
    reqwest::get(url).await.unwrap()
}

/// Makes the first person, as the setup page does.
async fn set_up(ready: &Ready) {
    let person = json!({
        "token": ready.setup_token.as_deref().unwrap(),
        "email": "ada@example.org",
        "password": "a long enough password",
        "name": "Ada",
    });
    let answer = reqwest::Client::new()
        .post(format!("{}/api/auth/setup", ready.url))
        .header("Origin", &ready.url)
        .json(&person)
        .send()
        .await
        .unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
}

#[tokio::test]
async fn everything_it_tells_is_true() {
    let mut installation = Installation::new();
    let ready = installation.up().await;

    assert!(
        get(format!("{}/readyz", ready.url))
            .await
            .status()
            .is_success()
    );
    let runner = ready.pids.runner.unwrap();
    for pid in [ready.pids.nats, ready.pids.coordinator, runner] {
        assert!(is_alive(pid));
    }
    let mode = std::fs::metadata(installation.ready_file())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600, "it holds a secret");

    let said = installation.interrupt().await;
    let token = ready.setup_token.unwrap();
    assert!(said.contains(&ready.url), "{said}");
    assert!(said.contains(&format!("/setup#token={token}")), "{said}");
    assert!(said.contains("nats sub 'fleet.>'"), "{said}");
    assert!(
        !installation.ready_file().exists(),
        "it would tell of processes that are gone"
    );
}

#[tokio::test]
async fn the_printed_credential_gets_in_and_hears_nothing_of_a_fleet_without_sessions() {
    let mut installation = Installation::new();
    let ready = installation.up().await;
    let observer = async_nats::ConnectOptions::with_credentials_file(&ready.nats_creds)
        .await
        .unwrap()
        .connect(&ready.nats_url)
        .await
        .unwrap();
    let mut seen = observer.subscribe("fleet.>").await.unwrap();
    observer.flush().await.unwrap();
    // Presence and records are not on these subjects: what a person sees here is sessions alone.
    let nothing = tokio::time::timeout(Duration::from_millis(300), seen.next()).await;
    assert!(nothing.is_err(), "{nothing:?}");
}

#[tokio::test]
async fn the_setup_token_works_once_and_name_and_ports_stay() {
    let mut installation = Installation::new();
    let first = installation.up().await;
    set_up(&first).await;
    let status: Value = get(format!("{}/api/auth/setup", first.url))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(status["needed"], false);
    installation.interrupt().await;

    let second = installation.up().await;
    assert_eq!(second.setup_token, None);
    assert_eq!((second.url, second.nats_url), (first.url, first.nats_url));
    let said = installation.interrupt().await;
    assert!(!said.contains("First time"), "{said}");
}

#[tokio::test]
async fn without_a_project_there_is_a_demo() {
    let mut installation = Installation::new();
    installation.up().await;
    assert!(installation.data().join("demo/tide.py").is_file());
}
