//! A whole fleet on a cluster of three nats-servers, of which one is lost, comes back, and then another is lost. Contracts
//! pinned here: sessions go on, every allowed command runs exactly once, a denied one never, and no log has a hole.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_nats::jetstream;
use nats::credentials::Credentials;
use nats::seal::CommandKey;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::nats_server::NatsCluster;
use testkit::repository::Repository;
use testkit::{child, flotilla, port, wait};

/// Another leader is there within ten seconds, on a machine that has time for it.
const BOUND: Duration = Duration::from_secs(90);
const SESSIONS: usize = 3;

/// Coordinator and runner as a service manager would start them, and the person who made the first account.
struct Fleet {
    folder: TempDir,
    parts: Vec<Child>,
    url: String,
    http: Client,
    token: String,
}

impl Fleet {
    async fn start(cluster: &NatsCluster, credentials: &Credentials, project: &Path) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("a fleet on three ")
            .tempdir()
            .unwrap();
        let listen = format!("127.0.0.1:{}", port::unused());
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(path("setup-token"), "a token for the first").unwrap();
        let host = "vps-1".parse().unwrap();
        let command_key = folder.path().join("command.nk");
        let key = CommandKey::open(&command_key).unwrap();
        let nats =
            |creds: PathBuf| json!({"url": cluster.urls(), "credentials": creds, "replicas": 3});
        let coordinator = json!({
            "nats": nats(credentials.coordinator().unwrap()),
            "coordinator": {"listen": listen, "data": path("coordinator"), "setup_token": path("setup-token"),
                "command_key": command_key},
        });
        let runner = json!({
            "nats": nats(credentials.runner(&host).unwrap()),
            "runner": {"host": host, "data": path("runner"), "command_keys": [key.public()], "projects": [project]},
        });
        let parts = vec![
            start_part(folder.path(), "coordinator", &coordinator),
            start_part(folder.path(), "runner", &runner),
        ];
        let mut fleet = Self {
            folder,
            parts,
            url: format!("http://{listen}"),
            http: Client::builder().cookie_store(true).build().unwrap(),
            token: String::new(),
        };
        fleet.sign_up().await;
        fleet
    }

    async fn sign_up(&mut self) {
        let person = json!({"token": "a token for the first", "email": "ada@example.org",
            "password": "correct horse battery", "name": "Ada"});
        wait::until("the first account", BOUND, async || {
            self.ask(Method::POST, "/api/auth/setup", Some(&person))
                .await
        })
        .await;
        let token = wait::until("a token", BOUND, async || {
            self.ask(Method::POST, "/api/tokens", Some(&json!({"name": "test"})))
                .await
        })
        .await;
        self.token = token["token"].as_str().unwrap().to_owned();
    }

    /// An answer, or why there is none that is worth having.
    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let (status, answer) = self.request(method, path, body).await?;
        if status.is_success() {
            Ok(answer)
        } else {
            Err(format!(
                "{path} answered {status}: {answer}\n{}",
                self.said()
            ))
        }
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Value), String> {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.url))
            .header("Origin", &self.url);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await;
        let answer = answer.map_err(|error| format!("{error}\n{}", self.said()))?;
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        Ok((
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        ))
    }

    async fn start_session(&self, prompt: &str) -> String {
        let project = wait::until("the project", BOUND, async || {
            let projects = self.ask(Method::GET, "/api/projects", None).await?;
            let id = projects["items"][0]["id"].as_str().map(str::to_owned);
            id.ok_or_else(|| projects.to_string())
        })
        .await;
        let body = json!({"project": project, "agent": "rehearsal", "prompt": prompt});
        let session = wait::until("a session", BOUND, async || {
            self.ask(Method::POST, "/api/sessions", Some(&body)).await
        });
        session.await["id"].as_str().unwrap().to_owned()
    }

    /// The pending gate whose command holds `token`.
    async fn gate(&self, session: &str, token: &str) -> String {
        let path = format!("/api/gates?state=pending&session={session}");
        wait::until(&format!("the gate of {token}"), BOUND, async || {
            let gates = self.ask(Method::GET, &path, None).await?;
            let items = gates["items"].as_array().cloned().unwrap_or_default();
            let gate = items
                .iter()
                .find(|gate| gate["input"].to_string().contains(token));
            let id = gate.and_then(|gate| gate["id"].as_str()).map(str::to_owned);
            id.ok_or_else(|| format!("{gates}\n{}", self.said()))
        })
        .await
    }

    /// Decides until it is told that the decision stands.
    async fn decide(&self, gate: &str, decision: &str) {
        let path = format!("/api/gates/{gate}/decision");
        let body = json!({"decision": decision, "reason": "because"});
        wait::until("the decision to be taken", BOUND, async || {
            let (status, answer) = self.request(Method::POST, &path, Some(&body)).await?;
            // Sent before, and its answer was lost.
            if status.is_success() || answer["error"]["code"] == "already_decided" {
                Ok(())
            } else {
                Err(format!("{status}: {answer}\n{}", self.said()))
            }
        })
        .await;
    }

    async fn idle(&self, session: &str) {
        let path = format!("/api/sessions/{session}");
        wait::until("the session to be idle", BOUND, async || {
            let row = self.ask(Method::GET, &path, None).await?;
            if row["state"] == "idle" {
                Ok(())
            } else {
                Err(format!("{row}\n{}", self.said()))
            }
        })
        .await;
    }

    /// The end of what both parts have said.
    fn said(&self) -> String {
        ["coordinator.log", "runner.log"]
            .map(|name| {
                let log =
                    std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
                let lines: Vec<&str> = log.lines().collect();
                lines[lines.len().saturating_sub(8)..].join("\n")
            })
            .join("\n--\n")
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for part in &mut self.parts {
            part.kill().ok();
            part.wait().ok();
        }
        // The shims are nobody's children.
        Command::new(flotilla::path())
            .args(["down", "--data"])
            .arg(self.folder.path().join("runner"))
            .output()
            .ok();
    }
}

fn start_part(folder: &Path, name: &str, configuration: &Value) -> Child {
    let file = folder.join(format!("{name}.toml"));
    let configuration: toml::Table = serde_json::from_value(configuration.clone()).unwrap();
    std::fs::write(&file, configuration.to_string()).unwrap();
    let log = std::fs::File::create(folder.join(format!("{name}.log"))).unwrap();
    let mut command = Command::new(flotilla::path());
    command
        .arg(name)
        .arg("--config")
        .arg(file)
        .env("HOME", folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    child::spawn(command).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_go_on_when_one_node_of_three_is_lost_and_then_another() {
    let keys = tempfile::tempdir().unwrap();
    let credentials = Credentials::create(keys.path()).unwrap();
    let trust = nats::server::trust(credentials.trust());
    let mut cluster = NatsCluster::start(&format!("ping_interval: 3s\nping_max: 2\n{trust}")).await;
    let watching =
        async_nats::ConnectOptions::with_credentials_file(credentials.coordinator().unwrap())
            .await
            .unwrap()
            .retry_on_initial_connect()
            .connect(cluster.urls())
            .await
            .unwrap();
    let jetstream = jetstream::new(watching);
    cluster.settled(&jetstream).await;
    let shop = Repository::new("shop")
        .file("README.md", "# Shop\n")
        .commit();
    let fleet = Fleet::start(&cluster, &credentials, shop.path()).await;

    // Kept outside Flotilla: each command that runs appends its own token.
    let ledger = keys.path().join("ledger");
    let token = |session: usize, step: usize| format!("token-{session}-{step}");
    let mut sessions = Vec::new();
    for session in 0..SESSIONS {
        let steps = (1..=4)
            .map(|step| format!("run echo {} >> {}", token(session, step), ledger.display()));
        let prompt = steps.collect::<Vec<_>>().join("\n");
        sessions.push(fleet.start_session(&prompt).await);
    }
    for (number, session) in sessions.iter().enumerate() {
        fleet.gate(session, &token(number, 1)).await;
    }

    for step in [1, 3] {
        let node = cluster.leader_of(&jetstream, nats::stream::EVENTS).await;
        cluster.kill(node);
        for (number, session) in sessions.iter().enumerate() {
            let gate = fleet.gate(session, &token(number, step)).await;
            fleet.decide(&gate, "allow").await;
        }
        for (number, session) in sessions.iter().enumerate() {
            let gate = fleet.gate(session, &token(number, step + 1)).await;
            fleet.decide(&gate, "deny").await;
        }
        cluster.restart(node).await;
        for stream in [
            nats::stream::EVENTS,
            nats::stream::COMMANDS,
            nats::stream::AUDIT,
        ] {
            cluster.whole(&jetstream, stream).await;
        }
    }

    for (number, session) in sessions.iter().enumerate() {
        fleet.idle(session).await;
        let events = format!("/api/sessions/{session}/events?after=0&limit=500");
        let events = fleet.ask(Method::GET, &events, None).await.unwrap();
        let seqs: Vec<_> = events["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["seq"].clone())
            .collect();
        let expected: Vec<_> = (1..=seqs.len()).map(|seq| json!(seq)).collect();
        assert_eq!(
            seqs, expected,
            "the log of session {number} has a hole or a double"
        );
    }
    let ran = std::fs::read_to_string(&ledger).unwrap();
    let mut ran: Vec<&str> = ran.lines().collect();
    ran.sort_unstable();
    let allowed = (0..SESSIONS).flat_map(|session| [1, 3].map(|step| token(session, step)));
    let mut allowed: Vec<String> = allowed.collect();
    allowed.sort_unstable();
    assert_eq!(ran, allowed, "each allowed command once, and nothing else");
}
