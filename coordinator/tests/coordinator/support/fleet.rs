//! One nats-server and the coordinators on it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use coordinator::Configuration;
use nats::client::{Client, Options};
use nats::credentials::Credentials;
use nats::ids::SessionId;
use nats::record::HostRecord;
use nats::seal::CommandKey;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::nats_server::NatsServer;
use testkit::wait;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{BOUND, Host, PASSWORD, Person, SETUP_TOKEN, cookie};

/// One NATS and a folder for the coordinators on it.
pub struct Fleet {
    pub nats: NatsServer,
    pub folder: tempfile::TempDir,
}

impl Fleet {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("setup-token"), SETUP_TOKEN).unwrap();
        Credentials::create(&folder.path().join("authority")).unwrap();
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
            listen: SocketAddr::from(([127, 0, 0, 1], 0)).into(),
            data: data.clone(),
            audit_key: data.with_file_name("audit.nk"),
            command_key: self.command_key(),
            command_keys: Vec::new(),
            authority: Some(self.authority()),
            nats_url: self.nats.url(),
            nats_public_urls: vec!["nats://0.0.0.0:4222".to_owned()],
            nats_replicas: 1,
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

    /// All coordinators of this fleet have the same.
    fn command_key(&self) -> PathBuf {
        self.folder.path().join("command.nk")
    }

    /// Where the keys lie that let hosts in.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("authority")
    }

    /// A host with one project and two agents, of which one is missing.
    pub async fn host(&self, name: &str) -> Host {
        self.host_with(name, |_| {}).await
    }

    /// The same, with something changed in its first report.
    pub async fn host_with(&self, name: &str, change: impl FnOnce(&mut HostRecord)) -> Host {
        let key = CommandKey::open(&self.command_key()).unwrap();
        let host = Host {
            client: self.client().await,
            name: name.parse().unwrap(),
            commanders: [key.public().clone()].into_iter().collect(),
            seqs: BTreeMap::new(),
        };
        let mut record = host.record();
        change(&mut record);
        host.report(record).await;
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

/// A fleet of one coordinator and one host with a session on it.
pub async fn running(fleet: &Fleet) -> (Coordinator, Person, Host, SessionId) {
    let coordinator = fleet.coordinator("a").await;
    let host = fleet.host("vps-1").await;
    let ada = coordinator.admin().await;
    ada.wait_for("/api/hosts", "the host", |hosts| {
        hosts["items"][0]["state"] == "online"
    })
    .await;
    let session = ada.start_session().await;
    (coordinator, ada, host, session)
}

pub async fn wait_for_seq(person: &Person, session: SessionId, seq: u64) {
    let path = format!("/api/sessions/{session}");
    person
        .wait_for(&path, "the events", |row| row["last_seq"] == seq)
        .await;
}
