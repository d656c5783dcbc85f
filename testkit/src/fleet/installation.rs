//! Starting, signing in, ending.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::namespace::Network;
use crate::{child, flotilla, nats_server, wait};

/// Starting three processes on a machine that is busy with other tests.
pub(super) const UP_BOUND: Duration = Duration::from_secs(60);

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
    /// Where the data lies; in the folder of the fleet without one.
    pub data: Option<PathBuf>,
    /// Added to the environment of `flotilla up`.
    pub environment: Vec<(String, String)>,
    /// Where the coordinator listens; on a free port without one.
    pub listen: Option<SocketAddr>,
    /// The network it lives in; that of the test without one.
    pub network: Option<Network>,
}

/// A running installation. Dropped, it is ended with every agent it left.
pub struct Fleet {
    pub(super) folder: TempDir,
    /// Replaced when it was killed and started again; never locked across a wait.
    up: Mutex<Child>,
    pub(super) ready: Value,
    pub(super) http: Client,
    pub(super) token: String,
    pub(super) options: Options,
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
            up: Mutex::new(up),
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
        read_ready(&ready_file(self.folder.path())).unwrap_or_else(|| self.ready.clone())
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        data(self.folder.path(), &self.options)
    }

    /// The process of `flotilla up`.
    pub(super) fn up(&self) -> MutexGuard<'_, Child> {
        self.up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token of the signed-in admin.
    pub fn token(&self) -> &str {
        &self.token
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
        let mut up = self.up();
        up.kill().ok();
        up.wait().ok();
    }
}

pub(super) async fn spawn_up(folder: &Path, options: &Options) -> (Child, Value) {
    let ready_path = ready_file(folder);
    std::fs::remove_file(&ready_path).ok();
    let configuration = folder.join("flotilla.toml");
    std::fs::write(&configuration, &options.agents).expect("a configuration file");
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("up.log"))
        .expect("a log file");
    let mut command = Network::command(options.network.as_ref(), &flotilla::path());
    let listen = options.listen.unwrap_or(([127, 0, 0, 1], 0).into());
    command
        .arg("up")
        .args(["--listen", &listen.to_string()])
        .arg("--data")
        .arg(data(folder, options))
        .arg("--ready-file")
        .arg(&ready_path)
        .arg("--config")
        .arg(&configuration)
        .env("FLOTILLA_NATS_SERVER", nats_server::binary())
        .env("HOME", options.home.as_deref().unwrap_or(folder))
        .envs(options.environment.iter().cloned())
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

fn data(folder: &Path, options: &Options) -> PathBuf {
    let data = options.data.clone();
    data.unwrap_or_else(|| folder.join("data"))
}

fn ready_file(folder: &Path) -> PathBuf {
    folder.join("ready.json")
}

fn read_ready(path: &Path) -> Option<Value> {
    serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
}

#[expect(
    clippy::print_stderr,
    reason = "a destructor of a test kit has no other way to say something"
)]
fn eprintln_to_test(message: &str) {
    eprintln!("{message}");
}
