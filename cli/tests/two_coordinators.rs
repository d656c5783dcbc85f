//! Two coordinators side by side on one NATS, as processes, with people on either. One that is killed only makes its
//! people go to the other. What ran is counted in a file outside Flotilla, to which each command appends its token.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::join_all;
use futures::{SinkExt as _, StreamExt as _};
use nats::ids::CommandId;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::fleet::{Fleet, Options};
use testkit::repository::Repository;
use testkit::wait;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

const BOUND: Duration = Duration::from_secs(90);
const PEOPLE: usize = 3;
/// How often each of the two is killed.
const KILLS: usize = 3;
/// What each person does at least, however fast the killing is over.
const ROUNDS_MIN: usize = 4;

async fn fleet() -> (Fleet, Repository) {
    let shop = Repository::new("shop")
        .file("README.md", "# Shop\n")
        .commit();
    let fleet = Fleet::start(Options {
        projects: vec![shop.path().to_owned()],
        ..Options::default()
    })
    .await;
    (fleet, shop)
}

/// Somebody with both addresses, who asks the other one when the first does not answer.
struct Person<'a> {
    fleet: &'a Fleet,
    urls: [String; 2],
    session: String,
}

impl Person<'_> {
    /// Asks one of the two; the other when that is away. An answer that is no failure of the server.
    async fn ask(
        &self,
        first: usize,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        wait::until(&format!("{method} {path}"), BOUND, async || {
            let mut last = String::new();
            for url in [&self.urls[first % 2], &self.urls[(first + 1) % 2]] {
                let asked = self
                    .fleet
                    .request_at(url, method.clone(), path, body.clone());
                let (status, answer) = asked.await;
                if !status.is_server_error() {
                    return Ok((status.as_u16(), answer));
                }
                last = format!("{url}: {status}: {answer}");
            }
            Err(last)
        })
        .await
    }

    /// Has a command run, or denies it: the message goes to one coordinator, the decision to the other.
    async fn have_run(&self, round: usize, token: &str, ledger: &Path, allow: bool) {
        let id = CommandId::new();
        let text = format!("run echo {token} >> {}", ledger.display());
        let path = format!("/api/sessions/{}/messages", self.session);
        let message = json!({"id": id, "text": text});
        let (status, answer) = self.ask(round, Method::POST, &path, Some(message)).await;
        assert_eq!(status, 202, "{answer}");
        let gates = format!("/api/gates?state=pending&session={}", self.session);
        let gate = wait::until(&format!("the gate of {token}"), BOUND, async || {
            let (_, gates) = self.ask(round + 1, Method::GET, &gates, None).await;
            let of_token = |gate: &&Value| {
                let command = gate["input"]["command"].as_str().unwrap_or_default();
                command.contains(token)
            };
            let found = gates["items"]
                .as_array()
                .and_then(|gates| gates.iter().find(of_token));
            found.cloned().ok_or_else(|| gates.to_string())
        })
        .await;
        let decision = if allow {
            json!({"decision": "allow"})
        } else {
            json!({"decision": "deny", "reason": "not this one"})
        };
        let path = format!("/api/gates/{}/decision", gate["id"].as_str().unwrap());
        // Whoever is asked knows the gate that the other has shown.
        let (status, answer) = self.ask(round, Method::POST, &path, Some(decision)).await;
        // 409: an answer was lost with its coordinator, and the decision was not.
        let decided = status == 200 || answer["error"]["code"] == "already_decided";
        assert!(decided, "{status}: {answer}");
        self.wait_done(round, &id.to_string()).await;
    }

    /// The turn of a message is over.
    async fn wait_done(&self, first: usize, message: &str) {
        wait::until("the end of the turn", BOUND, async || {
            let events = self.events(first).await;
            let turn = events.iter().find(|event| {
                event["type"] == "turn.started" && event["data"]["command"] == message
            });
            let done = turn.is_some_and(|turn| {
                events.iter().any(|event| {
                    event["type"] == "turn.finished"
                        && event["data"]["turn"] == turn["data"]["turn"]
                })
            });
            if done {
                Ok(())
            } else {
                Err(format!("{:?}", events.last()))
            }
        })
        .await;
    }

    async fn events(&self, first: usize) -> Vec<Value> {
        let path = format!("/api/sessions/{}/events?after=0&limit=1000", self.session);
        let (status, page) = self.ask(first, Method::GET, &path, None).await;
        assert_eq!(status, 200, "{page}");
        page["items"].as_array().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_alternate_between_two_coordinators_that_are_killed_and_every_command_runs_once() {
    let (fleet, _shop) = fleet().await;
    let outside = tempfile::Builder::new()
        .prefix("ledger-")
        .tempdir()
        .unwrap();
    let ledger = outside.path().join("ledger");
    let other = fleet.another_coordinator().await;
    let mut people = Vec::new();
    for _ in 0..PEOPLE {
        people.push(Person {
            fleet: &fleet,
            urls: [fleet.url(), other.url.clone()],
            session: fleet.start_session("rehearsal", "say Good morning").await,
        });
    }
    let killed_enough = AtomicBool::new(false);
    let kill = async {
        for _ in 0..KILLS {
            // Never both at once: one of them is there for people to go to.
            other.kill();
            other.start_again();
            other.wait_ready(&fleet).await;
            fleet.kill("coordinator").await;
        }
        killed_enough.store(true, Ordering::Relaxed);
    };
    let work = people.iter().enumerate().map(|(who, person)| {
        let (ledger, killed_enough) = (&ledger, &killed_enough);
        async move {
            let mut wanted = BTreeMap::new();
            let mut round = 0;
            while round < ROUNDS_MIN || !killed_enough.load(Ordering::Relaxed) {
                let (token, allow) = (format!("token-{who}-{round}"), round % 3 != 2);
                person.have_run(who + round, &token, ledger, allow).await;
                wanted.insert(token, usize::from(allow));
                round += 1;
            }
            wanted
        }
    });
    let (done, ()) = tokio::join!(join_all(work), kill);
    let wanted: BTreeMap<String, usize> = done.into_iter().flatten().collect();
    let ledger = std::fs::read_to_string(&ledger).unwrap();
    for (token, times) in &wanted {
        let ran = ledger.lines().filter(|line| line == token).count();
        assert_eq!(ran, *times, "{token} in {ledger}");
    }
    let ran: usize = wanted.values().sum();
    assert_eq!(ledger.lines().count(), ran, "{ledger}");
    for person in &people {
        let seen = wait::until("both to tell the same", BOUND, async || {
            let (one, two) = (person.events(0).await, person.events(1).await);
            if one == two {
                Ok(one)
            } else {
                Err(format!("{} and {} events", one.len(), two.len()))
            }
        })
        .await;
        let seqs: Vec<u64> = seen
            .iter()
            .filter_map(|event| event["seq"].as_u64())
            .collect();
        assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_was_held_still_knows_the_gate_that_the_other_has_shown() {
    let (fleet, _shop) = fleet().await;
    let other = fleet.another_coordinator().await;
    for _ in 0..3 {
        other.freeze();
        let session = fleet.start_session("rehearsal", "run true").await;
        let gate = fleet.gate(&session).await;
        let path = format!("/api/gates/{}/decision", gate["id"].as_str().unwrap());
        let allow = Some(json!({"decision": "allow"}));
        let row = format!("/api/sessions/{session}");
        let (decided, row, ()) = tokio::join!(
            fleet.request_at(&other.url, Method::POST, &path, allow),
            fleet.request_at(&other.url, Method::GET, &row, None),
            async { other.thaw() },
        );
        assert_eq!(decided.0, 200, "{}", decided.1);
        assert_eq!((row.0.as_u16(), &row.1["id"]), (200, &json!(session)));
        fleet.wait_state(&session, &["idle"]).await;
        // And what is nowhere is still nowhere.
        let nowhere = format!("/api/gates/{}", nats::ids::GateId::new());
        let (status, answer) = fleet
            .request_at(&other.url, Method::GET, &nowhere, None)
            .await;
        assert_eq!(status, 404, "{answer}");
    }
}

/// A tab that folds what it gets of one session's text.
struct Tab {
    socket: tokio_tungstenite::WebSocketStream<
        tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>,
    >,
}

impl Tab {
    async fn open(fleet: &Fleet, session: &str) -> Self {
        let url = format!("{}/api/socket", fleet.url().replace("http://", "ws://"));
        let mut request = url.into_client_request().unwrap();
        let token = format!("Bearer {}", fleet.token()).parse().unwrap();
        request.headers_mut().insert("authorization", token);
        let (mut socket, _) = connect_async(request).await.unwrap();
        let subscribe = json!({"type": "subscribe", "session": session}).to_string();
        socket.send(Message::text(subscribe)).await.unwrap();
        Self { socket }
    }

    async fn next(&mut self) -> Value {
        loop {
            let message = tokio::time::timeout(BOUND, self.socket.next()).await;
            if let Message::Text(text) = message.unwrap().unwrap().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// Reads until `enough` of the text is there, or all of it.
    async fn read(&mut self, text: &mut Text, enough: usize) {
        while text.so_far.len() < enough && text.whole.is_empty() {
            let frame = self.next().await;
            for key in ["live", "tail", "events"] {
                for row in frame[key].as_array().into_iter().flatten() {
                    text.take(row);
                }
            }
        }
    }
}

/// The text of one message, from pieces that join on. Words here are plain, so bytes count as offsets do.
#[derive(Default)]
struct Text {
    so_far: String,
    /// Each time it came as an event.
    whole: Vec<String>,
}

impl Text {
    fn take(&mut self, row: &Value) {
        let text = row["data"]["text"].as_str().unwrap_or_default();
        match row["type"].as_str() {
            Some("snapshot") if text.len() > self.so_far.len() => text.clone_into(&mut self.so_far),
            Some("delta") if row["data"]["offset"] == self.so_far.len() as u64 => {
                self.so_far.push_str(text);
            }
            Some("message.assistant") => self.whole.push(text.to_owned()),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn text_that_is_being_written_is_there_from_its_beginning_after_a_coordinator_was_killed() {
    let (fleet, _shop) = fleet().await;
    // For as long as it takes: it is interrupted in the end.
    let session = fleet.start_session("rehearsal", "stream 100000 20").await;
    let mut before = Text::default();
    let mut early = Tab::open(&fleet, &session).await;
    early.read(&mut before, 100).await;
    fleet.kill("coordinator").await;
    let mut after = Text::default();
    let mut tab = Tab::open(&fleet, &session).await;
    tab.read(&mut after, before.so_far.len() + 1).await;
    assert!(
        after.so_far.starts_with(&before.so_far),
        "{} is not how it began: {}",
        after.so_far,
        before.so_far
    );
    // And one that comes later still has it at once, with its first frame.
    let mut late = Text::default();
    let mut later = Tab::open(&fleet, &session).await;
    let subscribed = loop {
        let frame = later.next().await;
        if frame["type"] == "subscribed" {
            break frame;
        }
    };
    for row in subscribed["live"].as_array().unwrap() {
        late.take(row);
    }
    assert!(late.so_far.starts_with(&after.so_far), "{subscribed}");

    fleet
        .post(&format!("/api/sessions/{session}/interrupt"), json!({}))
        .await;
    tab.read(&mut after, usize::MAX).await;
    fleet.wait_state(&session, &["idle"]).await;
    let events = fleet.events(&session).await;
    let said: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "message.assistant")
        .collect();
    assert_eq!(said.len(), 1, "{said:?}");
    let whole = said[0]["data"]["text"].as_str().unwrap();
    assert_eq!(after.whole, [whole]);
    assert!(whole.starts_with(&after.so_far));
}
