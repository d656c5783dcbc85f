//! A whole installation, private to one test: the real `flotilla up` in a folder of its own, and a person who is
//! signed in.
//!
//! Speaks to it over HTTP as a browser or a program would. Knows no other crate of Flotilla: what comes back is JSON.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{child, flotilla, nats_server, wait};

/// Starting three processes on a machine that is busy with other tests.
const UP_BOUND: Duration = Duration::from_secs(60);
/// For anything that one session does.
pub const BOUND: Duration = Duration::from_secs(30);

/// What the fleet is made of.
#[derive(Default)]
pub struct Options {
    /// Checkouts given with `--project`; without any, `up` makes its demo repository.
    pub projects: Vec<PathBuf>,
    /// `[agents.…]` sections of the configuration file.
    pub agents: String,
    /// Searched before everything else on PATH.
    pub path_first: Option<PathBuf>,
    /// The person's home; a folder of the test's own without one.
    pub home: Option<PathBuf>,
}

/// A running installation. Dropped, it is ended with every agent it left.
pub struct Fleet {
    folder: TempDir,
    up: Child,
    ready: Value,
    http: Client,
    token: String,
    options: Options,
}

impl Fleet {
    /// Starts everything and signs an admin in.
    pub async fn start(options: Options) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("a fleet ü ")
            .tempdir()
            .expect("a temporary folder");
        let (up, ready) = spawn_up(folder.path(), &options).await;
        let mut fleet = Self {
            folder,
            up,
            ready,
            http: Client::new(),
            token: String::new(),
            options,
        };
        fleet.sign_up().await;
        fleet
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        self.ready["url"]
            .as_str()
            .expect("the ready file names the url")
            .trim_end_matches('/')
            .to_owned()
    }

    /// The ready file as it is now.
    pub fn ready(&self) -> Value {
        read_ready(&self.ready_file()).unwrap_or_else(|| self.ready.clone())
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        data(self.folder.path())
    }

    /// A token of the signed-in admin.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// A request with the admin's token. Status and body, whatever they are.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        self.request_at(&self.url(), method, path, body).await
    }

    /// The same at another coordinator of the fleet.
    pub async fn request_at(
        &self,
        url: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let mut request = self
            .http
            .request(method, format!("{url}{path}"))
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        match request.send().await {
            Ok(response) => {
                let status = response.status();
                let text = response.text().await.unwrap_or_default();
                (
                    status,
                    serde_json::from_str(&text).unwrap_or(Value::String(text)),
                )
            }
            Err(error) => (
                StatusCode::SERVICE_UNAVAILABLE,
                Value::String(error.to_string()),
            ),
        }
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.request(Method::GET, path, None).await;
        assert!(status.is_success(), "GET {path} answered {status}: {body}");
        body
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.request(Method::POST, path, Some(body)).await;
        assert!(
            status.is_success(),
            "POST {path} answered {status}: {answer}"
        );
        answer
    }

    /// Gives a session a file; the answer goes into a message's `attachments`.
    pub async fn attach(
        &self,
        session: &str,
        name: &str,
        media_type: &str,
        bytes: Vec<u8>,
    ) -> Value {
        let url = format!(
            "{}/api/sessions/{session}/attachments?name={name}",
            self.url()
        );
        let request = self
            .http
            .post(url)
            .bearer_auth(&self.token)
            .header("Content-Type", media_type)
            .body(bytes);
        let response = request.send().await.expect("the coordinator answers");
        let status = response.status();
        let text = response.text().await.unwrap_or_default();
        assert!(status.is_success(), "attaching answered {status}: {text}");
        serde_json::from_str(&text).expect("an attachment is JSON")
    }

    /// Starts a session on the first project and returns its id.
    pub async fn start_session(&self, agent: &str, prompt: &str) -> String {
        let project = self.project().await;
        let body = json!({"project": project, "agent": agent, "prompt": prompt});
        let session = self.post("/api/sessions", body).await;
        session["id"]
            .as_str()
            .expect("a session has an id")
            .to_owned()
    }

    /// The id of the first project, once the host has reported it.
    pub async fn project(&self) -> String {
        wait::until("a project", BOUND, async || {
            let projects = self.get("/api/projects").await;
            projects["items"][0]["id"]
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| projects.to_string())
        })
        .await
    }

    /// The oldest pending gate of a session, once there is one.
    pub async fn gate(&self, session: &str) -> Value {
        wait::until("a pending gate", BOUND, async || {
            let gates = self
                .try_get(&format!("/api/gates?state=pending&session={session}"))
                .await?;
            match gates["items"].get(0) {
                Some(gate) => Ok(gate.clone()),
                None => Err(format!(
                    "{gates}; the session said {}",
                    self.said(session).await
                )),
            }
        })
        .await
    }

    /// Decides a gate, and expects that it is taken.
    pub async fn decide(&self, gate: &Value, decision: Value) -> Value {
        let id = gate["id"].as_str().expect("a gate has an id");
        self.post(&format!("/api/gates/{id}/decision"), decision)
            .await
    }

    /// Allows whatever the session asks until it is idle, and returns how many gates that were.
    pub async fn allow_all(&self, session: &str) -> usize {
        let mut allowed = 0;
        loop {
            let next = wait::until("a gate or the end of the turn", BOUND, async || {
                let gates = self
                    .try_get(&format!("/api/gates?state=pending&session={session}"))
                    .await?;
                if let Some(gate) = gates["items"].get(0) {
                    return Ok(Some(gate.clone()));
                }
                let state = self.state(session).await?;
                if state == "idle" {
                    Ok(None)
                } else {
                    Err(format!("{state}: {}", self.said(session).await))
                }
            })
            .await;
            let Some(gate) = next else { return allowed };
            let decision = match gate["questions"][0]["question"].as_str() {
                Some(question) => {
                    let answer = gate["questions"][0]["options"][0]["label"].clone();
                    json!({"decision": "answer", "answers": {question: answer}})
                }
                None => json!({"decision": "allow"}),
            };
            self.decide(&gate, decision).await;
            allowed += 1;
        }
    }

    /// Waits until the session is in one of `states`.
    pub async fn wait_state(&self, session: &str, states: &[&str]) {
        wait::until(
            &format!("the session to be {}", states.join(" or ")),
            BOUND,
            async || {
                let state = self.state(session).await?;
                if states.contains(&state.as_str()) {
                    return Ok(());
                }
                Err(format!("{state}: {}", self.said(session).await))
            },
        )
        .await;
    }

    /// Every event of a session so far, in order.
    pub async fn events(&self, session: &str) -> Vec<Value> {
        let mut events: Vec<Value> = Vec::new();
        loop {
            let after = events
                .last()
                .and_then(|event| event["seq"].as_u64())
                .unwrap_or(0);
            let page = self
                .get(&format!(
                    "/api/sessions/{session}/events?after={after}&limit=500"
                ))
                .await;
            let items = page["items"]
                .as_array()
                .expect("events come as items")
                .clone();
            if items.is_empty() {
                return events;
            }
            events.extend(items);
        }
    }

    /// Waits for an event that `matches`.
    pub async fn wait_event(
        &self,
        session: &str,
        what: &str,
        matches: impl Fn(&Value) -> bool,
    ) -> Value {
        wait::until(what, BOUND, async || {
            let events = self.events(session).await;
            match events.iter().find(|event| matches(event)) {
                Some(event) => Ok(event.clone()),
                None => Err(self.said(session).await),
            }
        })
        .await
    }

    /// `seq` is 1, 2, 3 … without a hole or a double.
    pub async fn assert_contiguous(&self, session: &str) {
        let seqs: Vec<u64> = self
            .events(session)
            .await
            .iter()
            .filter_map(|event| event["seq"].as_u64())
            .collect();
        let expected: Vec<u64> = (1..=seqs.len() as u64).collect();
        assert_eq!(seqs, expected, "the log has a hole or a double");
    }

    /// The session's own worktree.
    pub async fn worktree(&self, session: &str) -> PathBuf {
        let opened = self
            .wait_event(session, "the session to be opened", |event| {
                event["type"] == "session.opened"
            })
            .await;
        PathBuf::from(
            opened["data"]["worktree"]
                .as_str()
                .expect("an opened session has a worktree"),
        )
    }

    /// Kills one of `nats`, `coordinator`, `runner` with SIGKILL and waits until `up` has replaced it.
    pub async fn kill(&self, part: &str) {
        let before = self.ready()["pids"][part]
            .as_i64()
            .expect("the ready file names the pid");
        kill_process(before);
        wait::until(&format!("another {part}"), UP_BOUND, async || {
            let now = self.ready()["pids"][part].as_i64();
            if now.is_some_and(|now| now != before) {
                Ok(())
            } else {
                Err(format!("{now:?}"))
            }
        })
        .await;
        self.wait_serving().await;
    }

    /// A second coordinator beside the one that `up` runs, on the same NATS, with a projection of its own.
    pub async fn another_coordinator(&self) -> Coordinator {
        let folder = tempfile::tempdir_in(self.folder.path()).expect("a temporary folder");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        drop(listener);
        let theirs = std::fs::read_to_string(self.data().join("coordinator/coordinator.toml"))
            .expect("`up` writes its coordinator's configuration");
        let mut settings: toml::Table = theirs.parse().expect("it is TOML");
        let section = settings
            .entry("coordinator")
            .or_insert_with(|| toml::Table::new().into());
        let section = section.as_table_mut().expect("a section");
        section.insert("listen".to_owned(), address.to_string().into());
        section.insert(
            "data".to_owned(),
            folder.path().display().to_string().into(),
        );
        let file = folder.path().join("coordinator.toml");
        std::fs::write(&file, settings.to_string()).expect("a configuration file");
        let log = std::fs::File::create(folder.path().join("log")).expect("a log file");
        let mut command = Command::new(flotilla::path());
        command
            .arg("coordinator")
            .arg("--config")
            .arg(&file)
            .stdin(Stdio::null());
        command
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log);
        let process = child::spawn(command).expect("a coordinator starts");
        let it = Coordinator {
            url: format!("http://{address}"),
            process,
            folder,
        };
        wait::until("the other coordinator to be ready", UP_BOUND, async || {
            let (status, body) = self.request_at(&it.url, Method::GET, "/readyz", None).await;
            let said = || std::fs::read_to_string(it.folder.path().join("log")).unwrap_or_default();
            if status.is_success() {
                Ok(())
            } else {
                Err(format!("{status}: {body}: {}", said()))
            }
        })
        .await;
        it
    }

    /// Ends everything but the agents, lets `meanwhile` look at the data folder, and starts it again.
    pub async fn restart(&mut self, meanwhile: impl FnOnce(&Path)) {
        terminate(&self.up);
        let up = &mut self.up;
        wait::until("`flotilla up` to end", UP_BOUND, async || {
            match up.try_wait() {
                Ok(Some(_)) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        meanwhile(&self.data());
        let (up, ready) = spawn_up(self.folder.path(), &self.options).await;
        self.up = up;
        self.ready = ready;
        self.wait_serving().await;
    }

    /// A few words per event, for messages of failed tests.
    pub async fn said(&self, session: &str) -> String {
        let path = format!("/api/sessions/{session}/events?limit=500");
        let Ok(page) = self.try_get(&path).await else {
            return "nothing".to_owned();
        };
        let items = page["items"].as_array().cloned().unwrap_or_default();
        let lines = items
            .iter()
            .map(|event| format!("{} {} {}", event["seq"], event["type"], event["data"]));
        lines.collect::<Vec<_>>().join("\n")
    }

    async fn state(&self, session: &str) -> Result<String, String> {
        let row = self.try_get(&format!("/api/sessions/{session}")).await?;
        row["state"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| row.to_string())
    }

    async fn try_get(&self, path: &str) -> Result<Value, String> {
        let (status, body) = self.request(Method::GET, path, None).await;
        if status.is_success() {
            Ok(body)
        } else {
            Err(format!("{status}: {body}"))
        }
    }

    async fn wait_serving(&self) {
        wait::until("the coordinator to be ready", UP_BOUND, async || {
            self.try_get("/readyz").await.map(|_| ())
        })
        .await;
    }

    async fn sign_up(&mut self) {
        let body = json!({
            "token": self.ready["setup_token"], "email": "ada@example.org",
            "password": "correct horse battery", "name": "Ada",
        });
        let url = self.url();
        let http = Client::builder()
            .cookie_store(true)
            .build()
            .expect("an HTTP client");
        let origin = |path: &str| http.post(format!("{url}{path}")).header("Origin", &url);
        let setup = origin("/api/auth/setup")
            .json(&body)
            .send()
            .await
            .expect("the coordinator answers");
        let status = setup.status();
        assert!(
            status.is_success(),
            "setup answered {status}: {:?}",
            setup.text().await
        );
        let token = origin("/api/tokens")
            .json(&json!({"name": "test"}))
            .send()
            .await
            .expect("the coordinator answers");
        let token: Value = token.json().await.expect("a token is JSON");
        self.token = token["token"]
            .as_str()
            .unwrap_or_else(|| panic!("no token in {token}"))
            .to_owned();
    }

    fn ready_file(&self) -> PathBuf {
        ready_file(self.folder.path())
    }
}

/// A coordinator of its own process, ended when dropped.
pub struct Coordinator {
    pub url: String,
    process: Child,
    folder: TempDir,
}

impl Drop for Coordinator {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let mut down = Command::new(flotilla::path());
        down.arg("down")
            .arg("--data")
            .arg(self.data())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Err(error) = down.status() {
            eprintln_to_test(&format!("`flotilla down` could not be run: {error}"));
        }
        // Whatever `down` did not end; the child is ours.
        self.up.kill().ok();
        self.up.wait().ok();
    }
}

async fn spawn_up(folder: &Path, options: &Options) -> (Child, Value) {
    let ready_path = ready_file(folder);
    std::fs::remove_file(&ready_path).ok();
    let configuration = folder.join("flotilla.toml");
    std::fs::write(&configuration, &options.agents).expect("a configuration file");
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("up.log"))
        .expect("a log file");
    let mut command = Command::new(flotilla::path());
    command
        .arg("up")
        .args(["--listen", "127.0.0.1:0"])
        .arg("--data")
        .arg(data(folder))
        .arg("--ready-file")
        .arg(&ready_path)
        .arg("--config")
        .arg(&configuration)
        .env("FLOTILLA_NATS_SERVER", nats_server::binary())
        .env("HOME", options.home.as_deref().unwrap_or(folder))
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a log file"))
        .stderr(log);
    if let Some(first) = &options.path_first {
        let rest = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(
            std::iter::once(first.clone()).chain(std::env::split_paths(&rest)),
        );
        command.env(
            "PATH",
            path.expect("folders without a colon in their names"),
        );
    }
    for project in &options.projects {
        command.arg("--project").arg(project);
    }
    let mut up = child::spawn(command).expect("`flotilla up` starts");
    let ready = wait::until("`flotilla up` to be ready", UP_BOUND, async || {
        let said = || std::fs::read_to_string(folder.join("up.log")).unwrap_or_default();
        if let Ok(Some(status)) = up.try_wait() {
            panic!("`flotilla up` ended with {status}: {}", said());
        }
        read_ready(&ready_path).ok_or_else(said)
    })
    .await;
    (up, ready)
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn ready_file(folder: &Path) -> PathBuf {
    folder.join("ready.json")
}

fn read_ready(path: &Path) -> Option<Value> {
    serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
}

fn kill_process(pid: i64) {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .expect("a process id");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL)
        .expect("the process is there");
}

fn terminate(child: &Child) {
    let pid = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .expect("a process id");
    rustix::process::kill_process(pid, rustix::process::Signal::TERM)
        .expect("the process is there");
}

#[expect(
    clippy::print_stderr,
    reason = "a destructor of a test kit has no other way to say something"
)]
fn eprintln_to_test(message: &str) {
    eprintln!("{message}");
}
