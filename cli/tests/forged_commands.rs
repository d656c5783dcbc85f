//! Somebody on the fleet's NATS who may publish anything, and has no key of ours: no host does what they say.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::time::Duration;

use async_nats::HeaderMap;
use futures::StreamExt as _;
use nats::command::{Command, GateDecide, Order, SessionStop};
use nats::event::{Decision, Verdict};
use nats::ids::{CommandId, GateId, SessionId, UserId};
use nats::seal::CommandKey;
use nats::{Timestamp, Wire, subject};
use serde_json::{Value, json};
use testkit::fleet::{Fleet, Options};
use testkit::repository::Repository;
use testkit::wait;

const BOUND: Duration = Duration::from_secs(60);

/// With a coordinator's credential, which is more than any host or observer has.
struct Intruder<'a> {
    fleet: &'a Fleet,
    client: async_nats::Client,
    host: String,
}

impl<'a> Intruder<'a> {
    async fn new(fleet: &'a Fleet) -> Self {
        let ready = fleet.ready();
        let creds = fleet.data().join("nats/credentials/coordinator.creds");
        let options = async_nats::ConnectOptions::with_credentials_file(creds).await;
        let client = options
            .unwrap()
            .custom_inbox_prefix("_INBOX_coordinator")
            .connect(ready["nats_url"].as_str().unwrap())
            .await
            .unwrap();
        let hosts = fleet.get("/api/hosts").await;
        Self {
            fleet,
            client,
            host: hosts["items"][0]["host"].as_str().unwrap().to_owned(),
        }
    }

    fn order(&self, session: &str, epoch: u64, command: impl Into<Command>) -> Order {
        Order {
            v: 1,
            id: CommandId::new(),
            session: session.parse().unwrap(),
            host: self.host.parse().unwrap(),
            epoch,
            at: Timestamp::now(),
            by: None,
            body: Wire::Known(command.into()),
        }
    }

    /// Publishes it, sealed with a key if there is one.
    async fn say(&self, order: &Order, key: Option<&CommandKey>) {
        let subject = subject::command(&order.host, order.session, order.body.tag(), order.id);
        let body = serde_json::to_vec(order).unwrap();
        let headers = key.map_or_else(HeaderMap::new, |key| {
            nats::seal::seal(key, &subject, &body).unwrap()
        });
        self.publish(&subject, headers, body).await;
    }

    async fn publish(&self, subject: &str, headers: HeaderMap, body: Vec<u8>) {
        let stored = self
            .client
            .request_with_headers(subject.to_owned(), headers, body.into())
            .await
            .unwrap();
        let stored: Value = serde_json::from_slice(&stored.payload).unwrap();
        assert!(stored["seq"].is_u64(), "NATS itself takes it: {stored}");
    }

    /// Waits until so many commands were refused, as everybody can see.
    async fn refused(&self, count: u64) {
        let path = format!("/api/hosts/{}", self.host);
        wait::until("the refusal to be seen", BOUND, async || {
            let host = self.fleet.get(&path).await;
            let refused = host["commands_refused"].as_u64();
            (refused == Some(count))
                .then_some(())
                .ok_or_else(|| host.to_string())
        })
        .await;
    }
}

fn yes(gate: &Value) -> GateDecide {
    GateDecide {
        gate: gate["id"].as_str().unwrap().parse::<GateId>().unwrap(),
        decision: Decision {
            verdict: Verdict::Allow,
            reason: None,
            input: None,
            answers: None,
            input_hash: gate["input_hash"].as_str().unwrap().to_owned(),
            by: UserId::new(),
            by_name: "nobody".to_owned(),
            at: Timestamp::now(),
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_key_of_the_fleet_approves_nothing_and_stops_nobody() {
    let shop = Repository::new("shop")
        .file("README.md", "# Shop\n")
        .commit();
    let fleet = Fleet::start(Options {
        projects: vec![shop.path().to_owned()],
        ..Options::default()
    })
    .await;
    let session = fleet
        .start_session("rehearsal", "run echo ran >> ledger\nrun true")
        .await;
    let gate = fleet.gate(&session).await;
    let ledger = fleet.worktree(&session).await.join("ledger");
    let intruder = Intruder::new(&fleet).await;

    let forged = intruder.order(&session, 1, yes(&gate));
    intruder.say(&forged, None).await;
    intruder.refused(1).await;
    intruder.say(&forged, Some(&CommandKey::generate())).await;
    intruder.refused(2).await;
    intruder
        .say(&intruder.order(&session, 1, SessionStop {}), None)
        .await;
    intruder.refused(3).await;

    // What was really said, and is heard by who listens.
    let mut heard = intruder.client.subscribe("fleet.>").await.unwrap();
    intruder.client.flush().await.unwrap();
    let other = fleet.start_session("rehearsal", "run echo other").await;
    let started = loop {
        let message = tokio::time::timeout(BOUND, heard.next()).await;
        let message = message.unwrap().unwrap();
        if message.subject.contains(".command.session.start.") {
            break message;
        }
    };
    fleet.gate(&other).await;
    // Under another session's name, and as it was but for one word.
    let (headers, body) = (started.headers.clone().unwrap(), started.payload.to_vec());
    let elsewhere = SessionId::new().to_string();
    intruder
        .publish(
            &started.subject.replace(&other, &elsewhere),
            headers.clone(),
            body.clone(),
        )
        .await;
    intruder.refused(4).await;
    let changed = String::from_utf8(body.clone())
        .unwrap()
        .replace("echo other", "echo changed");
    intruder
        .publish(&started.subject, headers.clone(), changed.into_bytes())
        .await;
    intruder.refused(5).await;
    // As it was, once more: it was taken then, and is not carried out again.
    intruder.publish(&started.subject, headers, body).await;

    // Of an epoch that is over, even with the fleet's own key.
    let key = CommandKey::open(&fleet.data().join("nats/credentials/command.nk")).unwrap();
    intruder
        .say(&intruder.order(&session, 0, yes(&gate)), Some(&key))
        .await;
    intruder.refused(6).await;

    assert!(!ledger.exists(), "nothing has run");
    let path = format!("/api/gates/{}", gate["id"].as_str().unwrap());
    let now = fleet.get(&path).await;
    assert_eq!(now["state"], "pending", "{now}");
    fleet.decide(&gate, json!({"decision": "allow"})).await;
    wait::until("the command's effect", BOUND, async || {
        let text = std::fs::read_to_string(&ledger).map_err(|error| error.to_string())?;
        (text == "ran\n").then_some(()).ok_or(text)
    })
    .await;
    let sessions = fleet.get("/api/sessions").await;
    assert_eq!(sessions["items"].as_array().unwrap().len(), 2, "{sessions}");
    let metrics = fleet.get("/metrics").await;
    let line = format!("flotilla_commands_refused{{host=\"{}\"}} 6", intruder.host);
    assert!(metrics.as_str().unwrap().contains(&line), "{metrics}");
}
