//! What people run into at the edges: a dirty checkout, an unknown base, a message too big, a file attached, an agent
//! that was stopped. Each is explained in a sentence, and nothing is lost.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::fleet::{Fleet, Options};
use testkit::repository::Repository;

async fn fleet_with(repository: &Repository) -> Fleet {
    Fleet::start(Options {
        projects: vec![repository.path().to_owned()],
        ..Options::default()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dirty_checkout_is_told_of_and_left_as_it_is() {
    let shop = Repository::new("shop")
        .file("README.md", "# Shop\n")
        .commit();
    let shop = shop
        .file("README.md", "# Changed\n")
        .file("new.txt", "new\n");
    let before = shop.snapshot();
    let fleet = fleet_with(&shop).await;
    let session = fleet.start_session("rehearsal", "run cat README.md").await;
    let warning = fleet
        .wait_event(&session, "the warning", |event| event["type"] == "warning")
        .await;
    assert_eq!(warning["data"]["code"], "checkout_dirty");
    assert!(
        warning["data"]["message"]
            .as_str()
            .unwrap()
            .starts_with("2 uncommitted files"),
        "{warning}"
    );
    fleet.allow_all(&session).await;
    let finished = fleet
        .wait_event(&session, "the tool", |event| {
            event["type"] == "tool.finished"
        })
        .await;
    assert_eq!(
        finished["data"]["output"], "# Shop",
        "the session starts from the commit"
    );
    assert_eq!(before.differences(&shop.snapshot()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_from_an_unknown_base_ends_with_the_reason() {
    let shop = Repository::new("shop")
        .file("README.md", "# Shop\n")
        .commit();
    let fleet = fleet_with(&shop).await;
    let project = fleet.project().await;
    let body = json!({"project": project, "agent": "rehearsal", "base": "no-such-branch"});
    let session = fleet.post("/api/sessions", body).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let ended = fleet
        .wait_event(&session, "the end", |event| {
            event["type"] == "session.ended"
        })
        .await;
    assert!(
        ended["data"]["reason"]
            .as_str()
            .unwrap()
            .contains("no-such-branch"),
        "{ended}"
    );
    fleet.wait_state(&session, &["ended"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_too_big_is_refused_and_the_same_as_an_attachment_arrives() {
    let shop = Repository::new("shop")
        .file("README.md", "# Shop\n")
        .commit();
    let fleet = fleet_with(&shop).await;
    let session = fleet.start_session("rehearsal", "say hello").await;
    fleet.wait_state(&session, &["idle"]).await;
    let messages = format!("/api/sessions/{session}/messages");
    let five_megabytes = json!({"text": "x".repeat(5 * 1024 * 1024)});
    let (status, answer) = fleet
        .request(Method::POST, &messages, Some(five_megabytes))
        .await;
    assert_eq!(status.as_u16(), 413, "{answer}");
    assert!(
        answer["error"]["hint"].as_str().unwrap().contains("attach"),
        "{answer}"
    );

    let attachment = fleet
        .attach(&session, "notes.txt", "text/plain", vec![b'x'; 1024 * 1024])
        .await;
    assert_eq!(attachment["bytes"], 1024 * 1024, "{attachment}");
    let with = json!({"text": "say got it", "attachments": [attachment]});
    fleet.post(&messages, with).await;
    let message = fleet
        .wait_event(&session, "the message", |event| {
            event["data"]["text"] == "say got it"
        })
        .await;
    assert_eq!(message["data"]["attachments"][0]["name"], "notes.txt");
    fleet
        .wait_event(&session, "the answer", |event| {
            event["type"] == "message.assistant" && event["data"]["text"] == "got it"
        })
        .await;
    let events = fleet.events(&session).await;
    let missing = events
        .iter()
        .filter(|event| event["data"]["code"] == "attachment_missing");
    assert_eq!(missing.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_message_sent_twice_is_one_message() {
    let shop = Repository::new("shop")
        .file("README.md", "# Shop\n")
        .commit();
    let fleet = fleet_with(&shop).await;
    let session = fleet.start_session("rehearsal", "say hello").await;
    fleet.wait_state(&session, &["idle"]).await;
    let id = "cmd_0192f3a4b5c67d8e9fa0b1c2d3e4f506";
    for _ in 0..3 {
        fleet
            .post(
                &format!("/api/sessions/{session}/messages"),
                json!({"id": id, "text": "say once"}),
            )
            .await;
    }
    fleet
        .wait_event(&session, "the answer", |event| {
            event["data"]["text"] == "once"
        })
        .await;
    fleet.wait_state(&session, &["idle"]).await;
    fleet
        .post(
            &format!("/api/sessions/{session}/messages"),
            json!({"text": "say after"}),
        )
        .await;
    fleet
        .wait_event(&session, "the next answer", |event| {
            event["data"]["text"] == "after"
        })
        .await;
    let events = fleet.events(&session).await;
    let of = |text: &str| {
        events
            .iter()
            .filter(|event| event["type"] == "message.user" && event["data"]["text"] == text)
            .count()
    };
    assert_eq!((of("say once"), of("say after")), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_session_is_over_and_one_whose_agent_ended_is_resumed() {
    let shop = Repository::new("shop")
        .file("README.md", "# Shop\n")
        .commit();
    let fleet = fleet_with(&shop).await;
    let over = fleet.start_session("rehearsal", "write a.txt one").await;
    let gate = fleet.gate(&over).await;
    fleet
        .post(&format!("/api/sessions/{over}/stop"), json!({}))
        .await;
    fleet.wait_state(&over, &["ended"]).await;
    let decision = format!("/api/gates/{}/decision", gate["id"].as_str().unwrap());
    for (path, body) in [
        (decision, json!({"decision": "allow"})),
        (format!("/api/sessions/{over}/resume"), json!({})),
        (
            format!("/api/sessions/{over}/messages"),
            json!({"text": "hello"}),
        ),
    ] {
        let (status, answer) = fleet.request(Method::POST, &path, Some(body)).await;
        assert_eq!(status.as_u16(), 409, "{path}: {answer}");
        assert!(answer["error"]["message"].is_string(), "{path}: {answer}");
    }

    let session = fleet.start_session("rehearsal", "say one\ncrash").await;
    fleet.wait_state(&session, &["asleep"]).await;
    fleet
        .post(&format!("/api/sessions/{session}/resume"), json!({}))
        .await;
    fleet.wait_state(&session, &["idle", "working"]).await;
    fleet.assert_contiguous(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_said_so_with_a_hint() {
    let shop = Repository::new("shop")
        .file("README.md", "# Shop\n")
        .commit();
    let fleet = fleet_with(&shop).await;
    let nobody = "ses_0192f3a4b5c67d8e9fa0b1c2d3e4f506";
    let nothing = "gate_0192f3a4b5c67d8e9fa0b1c2d3e4f506";
    let ask = |method: Method, path: String, body: Option<Value>| {
        let fleet = &fleet;
        async move { fleet.request(method, &path, body).await }
    };
    for (method, path, body, wanted) in [
        (Method::GET, format!("/api/sessions/{nobody}"), None, 404),
        (Method::GET, "/api/sessions/nonsense".to_owned(), None, 404),
        (
            Method::POST,
            format!("/api/sessions/{nobody}/messages"),
            Some(json!({"text": "hello"})),
            404,
        ),
        (
            Method::POST,
            format!("/api/gates/{nothing}/decision"),
            Some(json!({"decision": "allow"})),
            404,
        ),
        (
            Method::POST,
            "/api/sessions".to_owned(),
            Some(json!({"project": 7})),
            422,
        ),
        (Method::GET, "/api/nowhere".to_owned(), None, 404),
        (Method::DELETE, "/api/sessions".to_owned(), None, 405),
    ] {
        let (status, answer) = ask(method.clone(), path.clone(), body).await;
        assert_eq!(status.as_u16(), wanted, "{method} {path}: {answer}");
        assert!(
            answer["error"]["message"].is_string(),
            "{method} {path}: {answer}"
        );
    }
}
