//! Whatever is wrong with a request, it gets a status, a code, one sentence and mostly a hint.

use nats::ids::{GateId, SessionId};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Fleet, Person};

async fn refused(
    person: &Person,
    method: Method,
    path: &str,
    body: impl Into<reqwest::Body>,
    status: u16,
    code: &str,
) -> Value {
    let response = person
        .http
        .request(method.clone(), format!("{}{path}", person.url))
        .bearer_auth(person.token.as_ref().unwrap())
        .body(body)
        .send()
        .await
        .unwrap();
    let seen = response.status().as_u16();
    let text = response.text().await.unwrap();
    let body: Value =
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{method} {path}: {seen} {text}"));
    assert_eq!(
        (seen, body["error"]["code"].as_str()),
        (status, Some(code)),
        "{method} {path}: {body}"
    );
    let message = body["error"]["message"].as_str().unwrap();
    assert!(
        message.ends_with(['.', ':']) && message.len() > 10,
        "not a sentence: {message}"
    );
    body["error"].clone()
}

#[tokio::test]
async fn bad_input_is_refused_in_words() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let ada = coordinator.admin().await;
    let host = fleet.host("vps-1").await;
    ada.wait_for("/api/hosts", "the host", |hosts| {
        hosts["items"][0]["state"] == "online"
    })
    .await;
    let post = |path: &'static str, body: Value| (path.to_owned(), body.to_string());
    let session = |body: Value| post("/api/sessions", body);

    let (path, body) = session(json!({"project": "shpo", "agent": "rehearsal"}));
    let error = refused(&ada, Method::POST, &path, body, 404, "unknown_project").await;
    assert_eq!(error["hint"], "Known projects: empty, shop.");
    let (path, body) = session(json!({"project": "shop", "agent": "cluade"}));
    let error = refused(&ada, Method::POST, &path, body, 404, "unknown_agent").await;
    assert_eq!(error["hint"], "Known agents: claude, rehearsal.");
    let (path, body) = session(json!({"project": "shop", "agent": "claude"}));
    let error = refused(&ada, Method::POST, &path, body, 409, "agent_unavailable").await;
    assert_eq!(error["hint"], "Install it with `get claude`.");
    let (path, body) = session(json!({"project": "empty", "agent": "rehearsal"}));
    let error = refused(&ada, Method::POST, &path, body, 409, "project_problem").await;
    assert_eq!(
        error["message"],
        "No session can start in `empty` on vps-1: it has no commit yet."
    );
    let (path, body) = session(json!({"project": "shop", "agent": "rehearsal", "host": "vps-9"}));
    refused(&ada, Method::POST, &path, body, 404, "unknown_host").await;
    let (path, body) = session(json!({"project": "shop"}));
    refused(&ada, Method::POST, &path, body, 422, "invalid_body").await;
    let (path, body) = session(json!({"id": "ses_1", "project": "shop", "agent": "rehearsal"}));
    refused(&ada, Method::POST, &path, body, 422, "invalid_body").await;

    for body in ["", "{", "{\"project\": \"shop\",", "\u{0}"] {
        refused(
            &ada,
            Method::POST,
            "/api/sessions",
            body,
            400,
            "malformed_body",
        )
        .await;
    }
    for body in ["[]", "17", "null"] {
        refused(
            &ada,
            Method::POST,
            "/api/sessions",
            body,
            422,
            "invalid_body",
        )
        .await;
    }
    refused(
        &ada,
        Method::POST,
        "/api/sessions",
        vec![0xff, 0xfe],
        400,
        "malformed_body",
    )
    .await;

    let (nowhere, no_gate) = (SessionId::new(), GateId::new());
    for path in [
        format!("/api/sessions/{nowhere}"),
        "/api/sessions/ses_1".to_owned(),
        format!("/api/sessions/{nowhere}/events"),
        format!("/api/sessions/{nowhere}/diff"),
    ] {
        refused(&ada, Method::GET, &path, "", 404, "unknown_session").await;
    }
    for verb in [
        "messages",
        "interrupt",
        "stop",
        "resume",
        "attachments?name=a",
    ] {
        refused(
            &ada,
            Method::POST,
            &format!("/api/sessions/{nowhere}/{verb}"),
            r#"{"text":"x"}"#,
            404,
            "unknown_session",
        )
        .await;
    }
    refused(
        &ada,
        Method::GET,
        &format!("/api/gates/{no_gate}"),
        "",
        404,
        "unknown_gate",
    )
    .await;
    refused(
        &ada,
        Method::POST,
        &format!("/api/gates/{no_gate}/decision"),
        r#"{"decision":"allow"}"#,
        404,
        "unknown_gate",
    )
    .await;
    refused(
        &ada,
        Method::GET,
        "/api/hosts/vps-9",
        "",
        404,
        "unknown_host",
    )
    .await;

    refused(&ada, Method::GET, "/api/nothing", "", 404, "unknown_route").await;
    refused(
        &ada,
        Method::PUT,
        "/api/sessions",
        "{}",
        405,
        "method_not_allowed",
    )
    .await;
    refused(
        &ada,
        Method::GET,
        "/api/sessions?limit=many",
        "",
        400,
        "invalid_query",
    )
    .await;
    refused(
        &ada,
        Method::GET,
        "/api/sessions?state=odd",
        "",
        400,
        "invalid_query",
    )
    .await;
    refused(
        &ada,
        Method::GET,
        "/api/gates?state=odd",
        "",
        400,
        "invalid_query",
    )
    .await;
    refused(&ada, Method::GET, "/api/socket", "", 426, "not_a_websocket").await;

    let id = ada.start_session().await;
    let messages = format!("/api/sessions/{id}/messages");
    refused(
        &ada,
        Method::POST,
        &messages,
        r#"{"text":"  "}"#,
        422,
        "invalid_body",
    )
    .await;
    refused(
        &ada,
        Method::POST,
        &messages,
        r#"{"text":"x","delivery":"shout"}"#,
        422,
        "invalid_body",
    )
    .await;
    for size in [257 * 1024, 5 * 1024 * 1024] {
        let body = json!({"text": "x".repeat(size)}).to_string();
        let error = refused(&ada, Method::POST, &messages, body, 413, "too_large").await;
        assert!(
            error["hint"].as_str().unwrap().contains("attached"),
            "{error}"
        );
    }
    let prompt = json!({"project": "shop", "agent": "rehearsal", "prompt": "x".repeat(300 * 1024)});
    refused(
        &ada,
        Method::POST,
        "/api/sessions",
        prompt.to_string(),
        413,
        "too_large",
    )
    .await;
    let all = json!({"text": "x".repeat(250 * 1024)});
    assert_eq!(ada.post(&messages, all).await.0, 202);
    drop(host);
}

#[tokio::test]
async fn a_fleet_without_hosts_says_what_to_do() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let ada = coordinator.admin().await;
    let body = json!({"project": "shop", "agent": "rehearsal"}).to_string();
    let error = refused(
        &ada,
        Method::POST,
        "/api/sessions",
        body,
        404,
        "unknown_project",
    )
    .await;
    assert_eq!(
        error["hint"],
        "None is known yet: start a runner with --project PATH."
    );
}

#[tokio::test]
async fn without_nats_a_coordinator_tells_what_it_knows_and_keeps_what_it_is_given() {
    let mut fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let ada = coordinator.admin().await;
    let _host = fleet.host("vps-1").await;
    ada.wait_for("/api/hosts", "the host", |hosts| {
        hosts["items"][0]["state"] == "online"
    })
    .await;
    let session = ada.start_session().await;
    fleet.nats.kill();
    // What is known is still told.
    assert_eq!(
        ada.get(&format!("/api/sessions/{session}")).await["id"],
        session.to_string()
    );
    let messages = format!("/api/sessions/{session}/messages");
    let id = nats::ids::CommandId::new();
    let message = json!({"id": id, "text": "are you there"});
    let posted = tokio::spawn({
        let (ada, messages, message) = (ada.clone(), messages.clone(), message.clone());
        async move { ada.post(&messages, message).await }
    });
    testkit::wait::until("the message to wait", crate::support::BOUND, async || {
        let metrics = ada.send(Method::GET, "/metrics", None).await;
        let text = metrics.text().await.unwrap();
        if text.contains("flotilla_writes_waiting 1\n") {
            Ok(())
        } else {
            Err(text)
        }
    })
    .await;
    fleet.nats.restart().await;
    assert_eq!(posted.await.unwrap().0, 202);
    // And once more, by a client that does not believe it.
    assert_eq!(ada.post(&messages, message).await.0, 202);
}
