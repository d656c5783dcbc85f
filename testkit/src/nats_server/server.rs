//! Starting, killing and restarting the server of one test.
//!
//! It takes a free port and keeps it, has a store of its own that survives every restart, and syncs
//! each write as a fleet's server does. Knows nothing of streams, subjects or accounts: what a
//! test needs of those comes as extra configuration or is made by a client.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;

use super::binary;
use crate::{child, wait};

/// A server is ready after some 15 ms; a loaded machine that recovers a large store needs longer.
const READY_BOUND: Duration = Duration::from_secs(30);
const STOP_BOUND: Duration = Duration::from_secs(30);
/// What of the log a failure shows.
const LOG_TAIL_LINES: usize = 15;

/// One running (or just killed) nats-server. Dropping it kills the server and removes its store.
pub struct NatsServer {
    folder: TempDir,
    extra_config: String,
    port: u16,
    process: Option<Child>,
}

impl NatsServer {
    /// A server with JetStream that lets everyone in.
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// The same with `extra_config` appended to its configuration, e.g. accounts and permissions.
    /// A key given there replaces the one written here.
    pub async fn start_with(extra_config: &str) -> Self {
        let mut server = Self {
            folder: tempfile::Builder::new()
                .prefix("flotilla-nats-")
                .tempdir()
                .expect("a temporary folder"),
            extra_config: extra_config.to_owned(),
            port: 0,
            process: None,
        };
        server.launch().await;
        server
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where JetStream keeps its files.
    pub fn store(&self) -> PathBuf {
        self.folder.path().join("jetstream")
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("nats.log")).unwrap_or_default()
    }

    /// Replaces the extra configuration; it holds from the next `restart` on, or after `reload`.
    pub fn reconfigure(&mut self, extra_config: &str) {
        extra_config.clone_into(&mut self.extra_config);
        self.write_config();
    }

    /// Makes the running server read its configuration again (SIGHUP).
    pub fn reload(&self) {
        self.signal(Signal::HUP);
    }

    /// Ends it as a power cut would end the process: SIGKILL, nothing is flushed.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("our own child can be killed");
            process.wait().expect("our own child can be waited for");
        }
    }

    /// Ends it in an orderly way (SIGTERM) and waits until it is gone.
    pub async fn stop(&mut self) -> Option<ExitStatus> {
        self.signal(Signal::TERM);
        let mut process = self.process.take()?;
        let status = wait::until("nats-server to stop", STOP_BOUND, async || {
            let status = process.try_wait().expect("our own child can be waited for");
            status.ok_or_else(|| "still running".to_owned())
        })
        .await;
        Some(status)
    }

    /// Starts it again on the same store and the same port; stops it first if it still runs.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.launch().await;
    }

    async fn launch(&mut self) {
        fs::create_dir_all(self.ports_folder()).expect("the temporary folder is writable");
        self.write_config();
        let port = wait::until("nats-server to be ready", READY_BOUND, async || {
            self.try_launch().await
        })
        .await;
        self.port = port;
    }

    /// One look: starts the server unless it runs, and gives its port once it answers.
    ///
    /// It is started anew when it has ended by itself, because another process may have held its
    /// port for a moment while it was away.
    async fn try_launch(&mut self) -> Result<u16, String> {
        let ports = self.ports_folder();
        let process = match &mut self.process {
            Some(process) => process,
            None => self
                .process
                .insert(spawn(&self.folder.path().join("nats.conf"))),
        };
        if let Some(status) = process.try_wait().expect("our own child can be waited for") {
            self.process = None;
            return Err(format!(
                "it ended with {status}, having said:\n{}",
                self.log_tail()
            ));
        }
        let port = listening_port(&ports, process.id())
            .ok_or_else(|| format!("no ports file yet; it said:\n{}", self.log_tail()))?;
        greeting(port).await.map(|()| port)
    }

    fn write_config(&self) {
        let folder = self.folder.path();
        // -1: a free port of the server's own choice.
        let port = if self.port == 0 {
            "-1".to_owned()
        } else {
            self.port.to_string()
        };
        let config = format!(
            "host: 127.0.0.1\n\
             port: {port}\n\
             server_name: testkit\n\
             ports_file_dir: {ports}\n\
             log_file: {log}\n\
             max_payload: 1MB\n\
             jetstream {{ store_dir: {store}, max_mem: 256MB, max_file: 4GB, sync_interval: always }}\n\
             {extra}\n",
            ports = quoted(&self.ports_folder()),
            log = quoted(&folder.join("nats.log")),
            store = quoted(&self.store()),
            extra = self.extra_config,
        );
        fs::write(folder.join("nats.conf"), config).expect("the temporary folder is writable");
    }

    fn ports_folder(&self) -> PathBuf {
        self.folder.path().join("ports")
    }

    fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            let id = Pid::from_child(process);
            kill_process(id, signal).expect("our own child can be signalled");
        }
    }

    /// The end of it.
    pub(super) fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself; either way nothing is left to do about it.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn spawn(config: &Path) -> Child {
    let mut command = Command::new(binary::path());
    command
        .arg("--config")
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    child::spawn(command).expect("nats-server can be started")
}

/// A server writes the file once it listens, and the name holds its process id.
fn listening_port(folder: &Path, process: u32) -> Option<u16> {
    #[derive(Deserialize)]
    struct Ports {
        nats: Vec<String>,
    }
    // Not there yet, or half written: either way, look again.
    let text = fs::read_to_string(folder.join(format!("nats-server_{process}.ports"))).ok()?;
    let ports: Ports = serde_json::from_str(&text).ok()?;
    ports.nats.first()?.rsplit_once(':')?.1.parse().ok()
}

/// The first line that a server sends, which tells without credentials that JetStream is up.
async fn greeting(port: u16) -> Result<(), String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| format!("{address}: {error}"))?;
    let mut line = String::new();
    let read = BufReader::new(stream).read_line(&mut line).await;
    read.map_err(|error| format!("{address}: {error}"))?;
    if line.starts_with("INFO ") && line.contains("\"jetstream\":true") {
        Ok(())
    } else {
        Err(line)
    }
}

/// A string of the server's configuration language; JSON's escapes are among those it knows.
fn quoted(path: &Path) -> String {
    serde_json::Value::from(
        path.to_str()
            .expect("temporary folders have readable names"),
    )
    .to_string()
}
