//! There is no moment in which a decision or a message is refused because a part of ours is away. Contract pinned here:
//! each is posted once, by a client that does nothing but wait; it is answered 2xx; and what was allowed ran once, by a
//! file outside Flotilla. Real parts, killed for real.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::join_all;
use nats::ids::CommandId;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::fleet::{Fleet, Options};
use testkit::wait;
use tokio::time::sleep;

/// A part that is held down for seconds, on a machine that is busy with other tests.
const BOUND: Duration = Duration::from_secs(90);
/// Longer than any one request to NATS may take.
const DOWN_FOR: Duration = Duration::from_secs(6);
const SESSIONS: usize = 3;
const KILLS: usize = 4;
/// As fast as a person could, and no backlog of its own.
const BETWEEN_MESSAGES: Duration = Duration::from_millis(200);

/// Sessions that wait for a decision on a command which notes that it ran.
struct Scene {
    fleet: Fleet,
    folder: tempfile::TempDir,
    sessions: Vec<String>,
    gates: Vec<Value>,
}

impl Scene {
    async fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fleet = Fleet::start(Options::default()).await;
        let mut sessions = Vec::new();
        for number in 0..SESSIONS {
            let step = noting(folder.path(), &format!("decided-{number}"));
            sessions.push(fleet.start_session("rehearsal", &step).await);
        }
        let gates = join_all(sessions.iter().map(|session| fleet.gate(session))).await;
        Self {
            fleet,
            folder,
            sessions,
            gates,
        }
    }

    /// Every decision and every message, each posted once and waited for.
    async fn post_all(&self) -> Vec<(String, StatusCode, Value)> {
        let decisions = self.gates.iter().map(|gate| {
            let path = format!("/api/gates/{}/decision", gate["id"].as_str().unwrap());
            self.post(path, json!({"decision": "allow"}))
        });
        let messages = self.sessions.iter().enumerate().map(|(number, session)| {
            let step = noting(self.folder.path(), &format!("said-{number}"));
            let path = format!("/api/sessions/{session}/messages");
            self.post(path, json!({"text": step}))
        });
        let (mut answers, said) =
            futures::future::join(join_all(decisions), join_all(messages)).await;
        answers.extend(said);
        answers
    }

    async fn post(&self, path: String, body: Value) -> (String, StatusCode, Value) {
        // By a connection of its own: one that is left from before leads to who is gone.
        let answer = reqwest::Client::new()
            .post(format!("{}{path}", self.fleet.url()))
            .bearer_auth(self.fleet.token())
            .json(&body)
            .send()
            .await
            .unwrap_or_else(|error| panic!("{path}: {error:?}"));
        let status = answer.status();
        (path, status, answer.json().await.unwrap_or_default())
    }

    /// Brings every session to its end, and counts what ran.
    async fn all_ran_once(&self) {
        for (session, decided) in self.sessions.iter().zip(&self.gates) {
            // The message's own command is asked for too.
            let asked = wait::until("the message's command to be asked for", BOUND, async || {
                let path = format!("/api/gates?state=pending&session={session}");
                let gates = self.fleet.get(&path).await;
                let items = gates["items"].as_array().unwrap();
                let gate = items.iter().find(|gate| gate["id"] != decided["id"]);
                gate.cloned().ok_or_else(|| gates.to_string())
            })
            .await;
            self.fleet
                .decide(&asked, json!({"decision": "allow"}))
                .await;
            wait::until("the end of the turn", BOUND, async || {
                let row = self.fleet.get(&format!("/api/sessions/{session}")).await;
                if row["state"] == "idle" {
                    Ok(())
                } else {
                    Err(row.to_string())
                }
            })
            .await;
            self.fleet.assert_contiguous(session).await;
        }
        let ledger = std::fs::read_to_string(self.folder.path().join("ledger")).unwrap();
        let mut ran: Vec<&str> = ledger.lines().collect();
        ran.sort_unstable();
        let mut wanted: Vec<String> = (0..SESSIONS)
            .flat_map(|number| [format!("decided-{number}"), format!("said-{number}")])
            .collect();
        wanted.sort_unstable();
        assert_eq!(ran, wanted);
    }
}

fn noting(folder: &std::path::Path, token: &str) -> String {
    format!("run echo {token} >> {}", folder.join("ledger").display())
}

fn none_refused(answers: &[(String, StatusCode, Value)]) {
    assert_eq!(answers.len(), 2 * SESSIONS);
    for (path, status, answer) in answers {
        assert!(status.is_success(), "{path}: {status} {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_posted_while_nats_is_down_is_answered_when_it_is_back() {
    let scene = Scene::set().await;
    let held = scene.fleet.hold_down("nats").await;
    wait::until("the coordinator to notice", BOUND, async || {
        let (_, ready) = scene.fleet.request(Method::GET, "/readyz", None).await;
        if ready["connected"] == false {
            Ok(())
        } else {
            Err(ready.to_string())
        }
    })
    .await;
    let back = async {
        wait::until("everything to wait", BOUND, async || {
            let (_, metrics) = scene.fleet.request(Method::GET, "/metrics", None).await;
            let text = metrics.as_str().unwrap_or_default();
            let waiting = text
                .lines()
                .find_map(|line| line.strip_prefix("flotilla_writes_waiting "))
                .and_then(|count| count.parse::<usize>().ok());
            if waiting.is_some_and(|count| count >= 2 * SESSIONS) {
                Ok(())
            } else {
                Err(text.to_owned())
            }
        })
        .await;
        // Reads go on meanwhile.
        let path = format!("/api/sessions/{}", scene.sessions[0]);
        assert_eq!(scene.fleet.get(&path).await["state"], "waiting");
        sleep(DOWN_FOR).await;
        held.release();
    };
    let (answers, ()) = futures::future::join(scene.post_all(), back).await;
    none_refused(&answers);
    scene.all_ran_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_posted_while_there_is_no_coordinator_waits_for_the_next_one() {
    let scene = Scene::set().await;
    let held = scene.fleet.hold_down("coordinator").await;
    let back = async {
        sleep(DOWN_FOR).await;
        held.release();
    };
    let (answers, ()) = futures::future::join(scene.post_all(), back).await;
    none_refused(&answers);
    scene.all_ran_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_message_is_refused_while_coordinators_are_killed_one_after_the_other() {
    let fleet = Fleet::start(Options::default()).await;
    let session = fleet.start_session("rehearsal", "say Good morning").await;
    fleet.wait_state(&session, &["idle"]).await;
    let killed = AtomicBool::new(false);
    let killer = async {
        for _ in 0..KILLS {
            fleet.kill("coordinator").await;
        }
        killed.store(true, Ordering::Relaxed);
    };
    let poster = async {
        let mut ids = Vec::new();
        while !killed.load(Ordering::Relaxed) {
            let id = CommandId::new().to_string();
            post_once(&fleet, &session, &id).await;
            ids.push(id);
            sleep(BETWEEN_MESSAGES).await;
        }
        ids
    };
    let ((), ids) = futures::future::join(killer, poster).await;
    assert!(!ids.is_empty());
    let arrived = wait::until("every message to arrive", BOUND, async || {
        let events = fleet.events(&session).await;
        let arrived: Vec<String> = events
            .iter()
            .filter(|event| event["type"] == "message.user")
            .filter_map(|event| event["data"]["command"].as_str().map(str::to_owned))
            .filter(|id| ids.contains(id))
            .collect();
        if arrived.len() >= ids.len() {
            Ok(arrived)
        } else {
            Err(format!("{} of {}", arrived.len(), ids.len()))
        }
    })
    .await;
    assert_eq!(
        arrived, ids,
        "each once, and in the order in which they were said"
    );
}

/// Posts a message. It is never refused; only where the connection was cut with the process at its other end is it sent
/// again, as the same message.
async fn post_once(fleet: &Fleet, session: &str, id: &str) {
    loop {
        let sent = reqwest::Client::new()
            .post(format!("{}/api/sessions/{session}/messages", fleet.url()))
            .bearer_auth(fleet.token())
            .json(&json!({"id": id, "text": "say Once more"}))
            .send()
            .await;
        match sent {
            Ok(answer) => {
                assert_eq!(
                    answer.status(),
                    StatusCode::ACCEPTED,
                    "{:?}",
                    answer.text().await
                );
                return;
            }
            Err(cut) => assert!(!cut.is_connect(), "refused: {cut:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_waits_for_a_fleet_that_is_started_again() {
    let mut fleet = Fleet::start(Options::default()).await;
    let session = fleet.start_session("rehearsal", "say Good morning").await;
    fleet.wait_state(&session, &["idle"]).await;
    let mut command = Command::new(testkit::flotilla::path());
    command
        .args(["session", "send", &session, "say Good evening", "--json"])
        .env("FLOTILLA_URL", fleet.url())
        .env("FLOTILLA_TOKEN", fleet.token())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut sending = None;
    fleet
        .restart(|_| {
            let mut child = testkit::child::spawn(command).unwrap();
            let mut said = String::new();
            // The end of its patience ends this too.
            BufReader::new(child.stderr.as_mut().unwrap())
                .read_line(&mut said)
                .unwrap();
            assert!(said.contains("waiting for it"), "{said}");
            sending = Some(child);
        })
        .await;
    let output = sending.unwrap().wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let accepted: Value = serde_json::from_slice(&output.stdout).unwrap();
    fleet
        .wait_event(&session, "the message", |event| {
            event["type"] == "message.user" && event["data"]["command"] == accepted["id"]
        })
        .await;
}
