//! The account's usage limit: told with its end, slept through, and gone on from as the person wants it.

use serde_json::{Value, json};

use crate::station::{SignedIn, Station};

/// A session that has just run into a limit of so many seconds, and what it says of it.
async fn at_a_limit(station: &Station, seconds: u32) -> (String, Value) {
    let prompt = format!("say The word is swordfish\nrun true\nlimit {seconds}\nsay I go on");
    let session = station.fleet.start_session("claude", &prompt).await;
    let gate = station.fleet.gate(&session).await;
    station
        .fleet
        .decide(&gate, json!({"decision": "allow"}))
        .await;
    let reached = station
        .fleet
        .wait_event(&session, "the limit", |event| {
            event["type"] == "limit.reached"
        })
        .await;
    station
        .fleet
        .wait_event(&session, "the turn to end", |event| {
            event["type"] == "turn.finished"
        })
        .await;
    (session, reached["data"].clone())
}

async fn resume_at_reset(station: &Station, session: &str, enabled: bool) {
    let path = format!("/api/sessions/{session}/resume-at-reset");
    station.fleet.post(&path, json!({"enabled": enabled})).await;
}

fn requests_with(station: &Station, text: &str) -> Vec<Value> {
    let mut requests = station.model.requests();
    requests.retain(|request| request["messages"].to_string().contains(text));
    requests
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_shown_slept_through_and_gone_on_from_at_its_reset() {
    let station = Station::start_with(SignedIn::WithSubscription, true).await;
    let fleet = &station.fleet;
    let (session, limit) = at_a_limit(&station, 12).await;
    assert!(
        limit["message"].as_str().unwrap().contains("limit"),
        "{limit}"
    );
    assert_eq!(limit["resumes"], true, "{limit}");
    let shown = fleet.get(&format!("/api/sessions/{session}")).await;
    assert_eq!(shown["limit"]["resets_at"], limit["resets_at"], "{shown}");
    assert!(limit["resets_at"].is_string(), "{limit}");
    let turn = &station.events_of(&session, "turn.finished").await[0];
    assert_eq!(turn["data"]["outcome"], "failed");
    fleet.wait_state(&session, &["asleep"]).await;
    station.wait_stopped(&session).await;
    // By itself, with the conversation, and not before the time: it is not refused again.
    station.wait_said(&session, "I go on").await;
    let messages = station.events_of(&session, "message.user").await;
    assert_eq!(messages[1]["data"]["text"], "continue");
    assert!(messages[1]["data"]["by"].is_null(), "in nobody's name");
    assert!(
        messages[1]["at"].as_str() >= limit["resets_at"].as_str(),
        "{messages:?} {limit}"
    );
    let request = requests_with(&station, "continue").pop().unwrap();
    assert!(
        request["messages"]
            .to_string()
            .contains("The word is swordfish")
    );
    assert_eq!(station.count(&session, "limit.reached").await, 1);
    let shown = fleet.get(&format!("/api/sessions/{session}")).await;
    assert!(shown["limit"].is_null(), "{shown}");
    fleet.assert_contiguous(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_switch_off_a_session_stays_at_its_limit_until_a_person_says_so() {
    let station = Station::start_with(SignedIn::WithSubscription, false).await;
    let fleet = &station.fleet;
    // As the host is configured; as a person wants it; and one that goes on, so that the time is known to have come.
    let (of_host, limit) = at_a_limit(&station, 20).await;
    assert_eq!(limit["resumes"], false, "{limit}");
    let mut others = Vec::new();
    for _ in 0..2 {
        let session = fleet.start_session("claude", "limit 10").await;
        resume_at_reset(&station, &session, true).await;
        others.push(session);
    }
    let (of_person, goes_on) = (&others[0], &others[1]);
    let reached = fleet
        .wait_event(of_person, "the limit", |event| {
            event["type"] == "limit.reached"
        })
        .await;
    assert_eq!(reached["data"]["resumes"], true, "{reached}");
    resume_at_reset(&station, of_person, false).await;
    fleet
        .wait_event(of_person, "the switch", |event| {
            event["type"] == "limit.changed" && event["data"]["resumes"] == false
        })
        .await;
    fleet
        .wait_event(goes_on, "the other to go on", |event| {
            event["type"] == "turn.finished" && event["data"]["outcome"] == "completed"
        })
        .await;
    station.let_others_sleep().await;
    for session in [&of_host, of_person] {
        assert_eq!(station.count(session, "message.user").await, 1);
        let shown = fleet.get(&format!("/api/sessions/{session}")).await;
        assert_eq!(shown["limit"]["resumes"], false, "{shown}");
        station.say(session, "say On we go").await;
        station.wait_said(session, "On we go").await;
        assert_eq!(station.count(session, "limit.reached").await, 1);
    }
    let last = requests_with(&station, "swordfish").pop().unwrap();
    assert!(last["messages"].to_string().contains("On we go"), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_while_a_limit_stands_is_told_the_same_reset_again() {
    let station = Station::start_with(SignedIn::WithSubscription, true).await;
    let (session, limit) = at_a_limit(&station, 20).await;
    station.say(&session, "say Are you there?").await;
    let again = testkit::wait::until("the limit again", testkit::fleet::BOUND, async || {
        let limits = station.events_of(&session, "limit.reached").await;
        limits.get(1).cloned().ok_or_else(|| format!("{limits:?}"))
    })
    .await;
    assert_eq!(again["data"]["resets_at"], limit["resets_at"]);
    station.wait_said(&session, "Are you there?").await;
}
