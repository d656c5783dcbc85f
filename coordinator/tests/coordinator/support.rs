//! A fleet of one nats-server, coordinators and played hosts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use coordinator::Configuration;
use nats::client::{Client, CommandDelivery, CommandFeed, EventRow, Options};
use nats::command::{Command, Order};
use nats::event::{
    Event, GateDecided, GateKind, GateOpened, MessageUser, SessionOpened, SessionState, State,
    ToolFinished, ToolOutcome, ToolReleased,
};
use nats::ids::{EventId, GateId, HostName, SessionId};
use nats::live::{Live, LiveMessage};
use nats::record::{AgentReport, HostRecord, Presence, ProjectReport};
use nats::stream::{Bucket, PRESENCE_TTL};
use nats::wire::{Tagged as _, Wire};
use nats::{Envelope, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::nats_server::NatsServer;
use testkit::wait;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub const BOUND: Duration = Duration::from_secs(20);
pub const SETUP_TOKEN: &str = "a setup token of a test";
pub const PASSWORD: &str = "correct horse battery";

/// One NATS and a folder for the coordinators on it.
pub struct Fleet {
    pub nats: NatsServer,
    pub folder: tempfile::TempDir,
}

impl Fleet {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("setup-token"), SETUP_TOKEN).unwrap();
        let nats = NatsServer::start().await;
        Self { nats, folder }
    }

    /// A coordinator with a projection of its own, ready to answer.
    pub async fn coordinator(&self, name: &str) -> Coordinator {
        let coordinator = self.unready_coordinator(name, None).await;
        coordinator.wait_until_ready().await;
        coordinator
    }

    /// One that takes requests and may not know anything yet.
    pub async fn unready_coordinator(&self, name: &str, public_url: Option<&str>) -> Coordinator {
        let data = self.folder.path().join(name).join("projection.db");
        let (ready, bound) = oneshot::channel();
        let stop = CancellationToken::new();
        let configuration = Configuration {
            listen: "127.0.0.1:0".parse().unwrap(),
            data: data.clone(),
            nats_url: self.nats.url(),
            nats_credentials: None,
            setup_token: Some(self.folder.path().join("setup-token")),
            public_url: public_url.map(str::to_owned),
            ready: Some(ready),
        };
        let task = tokio::spawn(coordinator::run(configuration, stop.clone()));
        let address = bound.await.expect("a coordinator that starts");
        let url = format!("http://{address}");
        Coordinator {
            url,
            data,
            stop,
            task,
        }
    }

    /// A connection of a test's own.
    pub async fn client(&self) -> Client {
        let client = Client::connect(Options {
            url: self.nats.url(),
            credentials: None,
            name: "test".to_owned(),
            inbox_prefix: "_INBOX_test".to_owned(),
        })
        .await
        .unwrap();
        client.connected().await;
        client
    }

    /// A host with one project and two agents, of which one is missing.
    pub async fn host(&self, name: &str) -> Host {
        let host = Host {
            client: self.client().await,
            name: name.parse().unwrap(),
            seqs: BTreeMap::new(),
        };
        host.report(host.record()).await;
        host.beat().await;
        host
    }
}

pub struct Coordinator {
    pub url: String,
    pub data: PathBuf,
    stop: CancellationToken,
    task: JoinHandle<Result<(), coordinator::Error>>,
}

impl Coordinator {
    pub async fn wait_until_ready(&self) {
        let url = format!("{}/readyz", self.url);
        wait::until("a ready coordinator", BOUND, async || {
            let response = reqwest::get(&url)
                .await
                .map_err(|error| error.to_string())?;
            let status = response.status();
            if status.is_success() {
                Ok(())
            } else {
                Err(format!("{status}: {}", response.text().await.unwrap()))
            }
        })
        .await;
    }

    /// Ends it in an orderly way.
    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }

    /// Somebody without any name.
    pub fn anonymous(&self) -> Person {
        Person {
            http: reqwest::Client::new(),
            url: self.url.clone(),
            token: None,
        }
    }

    /// Creates the first person and gives them an API token.
    pub async fn admin(&self) -> Person {
        let mut person = self.anonymous();
        let setup = json!({"token": SETUP_TOKEN, "email": "ada@example.org", "password": PASSWORD, "name": "Ada"});
        let response = person
            .send(Method::POST, "/api/auth/setup", Some(setup))
            .await;
        assert_eq!(response.status(), StatusCode::OK);
        let cookie = cookie(&response);
        let response = reqwest::Client::new()
            .post(format!("{}/api/tokens", self.url))
            .header("cookie", &cookie)
            .header("origin", &self.url)
            .json(&json!({"name": "test"}))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        let created: Value = response.json().await.unwrap();
        person.token = Some(created["token"].as_str().unwrap().to_owned());
        person
    }
}

/// The `name=value` that a sign-in set.
pub fn cookie(response: &reqwest::Response) -> String {
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

/// Somebody who asks, by API token.
#[derive(Clone)]
pub struct Person {
    pub http: reqwest::Client,
    pub url: String,
    pub token: Option<String>,
}

impl Person {
    /// The same person at another coordinator.
    pub fn at(&self, coordinator: &Coordinator) -> Self {
        Self {
            url: coordinator.url.clone(),
            ..self.clone()
        }
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Response {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Value {
        let response = self.send(Method::GET, path, None).await;
        let status = response.status();
        let body: Value = response.json().await.unwrap();
        assert!(status.is_success(), "GET {path}: {status} {body}");
        body
    }

    /// Posts, and gives status and body.
    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let response = self.send(Method::POST, path, Some(body)).await;
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    /// Starts a session and gives its id.
    pub async fn start_session(&self) -> SessionId {
        let (status, row) = self
            .post(
                "/api/sessions",
                json!({"project": "shop", "agent": "rehearsal", "prompt": "hello"}),
            )
            .await;
        assert_eq!(status, 201, "{row}");
        row["id"].as_str().unwrap().parse().unwrap()
    }

    /// Waits until a GET says what it should.
    pub async fn wait_for(&self, path: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        wait::until(what, BOUND, async || {
            let body = self.get(path).await;
            if wanted(&body) {
                Ok(body)
            } else {
                Err(body.to_string())
            }
        })
        .await
    }
}

/// A host, as far as NATS sees one.
pub struct Host {
    pub client: Client,
    pub name: HostName,
    /// Stream sequence and seq of each session's last event.
    seqs: BTreeMap<SessionId, (u64, u64)>,
}

impl Host {
    pub fn record(&self) -> HostRecord {
        let agent = |name: &str, available: bool| AgentReport {
            name: name.to_owned(),
            title: name.to_owned(),
            version: None,
            command: None,
            available,
            hint: (!available).then(|| format!("Install it with `get {name}`.")),
        };
        HostRecord {
            host: self.name.clone(),
            version: "0".to_owned(),
            operating_system: "Linux".to_owned(),
            started_at: Timestamp::now(),
            isolated: false,
            agents: vec![agent("rehearsal", true), agent("claude", false)],
            projects: vec![
                project("shop", None),
                project("empty", Some("it has no commit yet.")),
            ],
            slots: 4,
            labels: BTreeMap::new(),
            memory_bytes: 1 << 33,
        }
    }

    pub async fn report(&self, record: HostRecord) {
        let records = self.client.records::<HostRecord>(Bucket::Hosts);
        records.put(self.name.as_str(), &record).await.unwrap();
    }

    pub async fn beat(&self) {
        let presence = Presence {
            host: self.name.clone(),
            at: Timestamp::now(),
            load: 0.5,
            memory_free_bytes: 1 << 32,
            sessions: 1,
        };
        let records = self.client.records::<Presence>(Bucket::Presence);
        records
            .put_for(self.name.as_str(), &presence, PRESENCE_TTL)
            .await
            .unwrap();
    }

    /// Writes events as the session's owner.
    pub async fn tell(&mut self, session: SessionId, events: impl IntoIterator<Item = Event>) {
        for event in events {
            let (last, seq) = self.seqs.get(&session).copied().unwrap_or((0, 0));
            let row = self.row(session, 1, seq + 1, event);
            let (_, sequence, stored) = self
                .client
                .publish_events(&self.name, session, last, &[row], false)
                .await;
            stored.unwrap();
            self.seqs.insert(session, (sequence, seq + 1));
        }
    }

    /// An event as it travels.
    pub fn row(&self, session: SessionId, epoch: u64, seq: u64, event: Event) -> EventRow {
        let event_type = event.tag().to_owned();
        let envelope = Envelope {
            v: 1,
            id: EventId::new(),
            session,
            host: self.name.clone(),
            epoch,
            seq,
            at: Timestamp::now(),
            object: None,
            body: Wire::Known(event),
        };
        let body = serde_json::to_vec(&envelope).unwrap().into();
        EventRow {
            epoch,
            seq,
            event_type,
            body,
        }
    }

    pub async fn say_live(&self, session: SessionId, live: Live) {
        let message = LiveMessage {
            v: 1,
            session,
            host: self.name.clone(),
            epoch: 1,
            at: Timestamp::now(),
            body: Wire::Known(live),
        };
        self.client.publish_live(&message).await;
    }

    pub fn commands(&self) -> CommandFeed {
        self.client.commands(&self.name)
    }

    /// Answers a start as a runner does: opens, and opens a gate when asked to.
    pub async fn open(&mut self, session: SessionId) {
        self.tell(session, [opened(), state(State::Working)]).await;
    }
}

/// The next command, acknowledged.
pub async fn next_command(feed: &mut CommandFeed) -> Order {
    let delivery: CommandDelivery = wait::until("a command", BOUND, async || {
        feed.next().await.map_err(|error| error.to_string())
    })
    .await;
    let order = delivery.order().unwrap();
    delivery.acknowledge().await.unwrap();
    order
}

/// Whether an order is of this type.
pub fn is(order: &Order, tag: &str) -> bool {
    order.body.tag() == tag
}

/// The decision in an order, if it carries one.
pub fn decided(order: &Order) -> Option<&nats::command::GateDecide> {
    match order.body.known() {
        Some(Command::GateDecide(decide)) => Some(decide),
        _ => None,
    }
}

fn project(name: &str, problem: Option<&str>) -> ProjectReport {
    ProjectReport {
        id: format!("prj-{name}"),
        name: name.to_owned(),
        path: format!("/srv/{name}"),
        remote: None,
        branch: Some("main".to_owned()),
        head: None,
        uncommitted: 0,
        problem: problem.map(str::to_owned),
    }
}

pub fn opened() -> Event {
    SessionOpened {
        project: "prj-shop".to_owned(),
        agent: "rehearsal".to_owned(),
        title: "hello".to_owned(),
        branch: "flotilla/7f3a".to_owned(),
        base: "0".repeat(40),
        worktree: "/tmp/worktree".to_owned(),
        isolated: false,
        started_by: None,
    }
    .into()
}

pub fn state(state: State) -> Event {
    SessionState {
        state,
        reason: None,
    }
    .into()
}

pub fn said(text: &str) -> Event {
    MessageUser {
        command: nats::ids::CommandId::new(),
        text: text.to_owned(),
        delivery: nats::event::Delivery::Queue,
        attachments: Vec::new(),
        by: None,
    }
    .into()
}

pub fn gate_opened(gate: GateId) -> Event {
    let input = json!({"command": "ls"});
    GateOpened {
        gate,
        kind: GateKind::Tool,
        tool_use: format!("tool-{}", gate.short()),
        tool: "Bash".to_owned(),
        input_hash: nats::canonical::input_hash(&input),
        input,
        summary: "Run a command in shop".to_owned(),
        risks: Vec::new(),
        turn: None,
        parent: None,
        questions: Vec::new(),
        plan: None,
    }
    .into()
}

/// What a runner writes once a decision has reached it: all the way to the tool's end.
pub fn carried_out(gate: GateId, decision: nats::event::Decision) -> Vec<Event> {
    let tool_use = format!("tool-{}", gate.short());
    vec![
        GateDecided { gate, decision }.into(),
        ToolReleased {
            tool_use: tool_use.clone(),
            gate,
            allowed: true,
        }
        .into(),
        ToolFinished {
            tool_use,
            outcome: ToolOutcome::Succeeded,
            output: "a b".to_owned(),
            output_bytes: 3,
        }
        .into(),
    ]
}
