//! Another coordinator beside the one that `up` runs: a fleet may have any number of them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use reqwest::Method;
use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use super::installation::{Fleet, UP_BOUND};
use crate::{child, flotilla, wait};

/// A coordinator of its own process, ended when dropped.
pub struct Coordinator {
    pub url: String,
    process: Mutex<Child>,
    folder: TempDir,
}

impl Fleet {
    /// A second coordinator beside the one that `up` runs, on the same NATS, with a projection of its own.
    pub async fn another_coordinator(&self) -> Coordinator {
        let it = self.start_another_coordinator();
        it.wait_ready(self).await;
        it
    }

    /// The same, without waiting for it.
    pub fn start_another_coordinator(&self) -> Coordinator {
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
        std::fs::write(configuration(folder.path()), settings.to_string())
            .expect("a configuration file");
        Coordinator {
            url: format!("http://{address}"),
            process: Mutex::new(start(folder.path())),
            folder,
        }
    }
}

impl Coordinator {
    /// Where its configuration, its log and its projection lie.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills it with SIGKILL, and waits until it is gone.
    pub fn kill(&self) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        process.kill().ok();
        process.wait().ok();
    }

    /// Starts it again at the same address, and does not wait for it.
    pub fn start_again(&self) {
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = start(self.folder.path());
    }

    /// Waits until it can answer.
    pub async fn wait_ready(&self, fleet: &Fleet) {
        let ready = async || self.is_ready(fleet).await;
        wait::until("the other coordinator to be ready", UP_BOUND, ready).await;
    }

    /// Whether it can answer; what it says else, and its log.
    pub async fn is_ready(&self, fleet: &Fleet) -> Result<(), String> {
        let asked = fleet.request_at(&self.url, Method::GET, "/readyz", None);
        let (status, body) = asked.await;
        if status.is_success() {
            return Ok(());
        }
        let said = std::fs::read_to_string(log(self.folder.path())).unwrap_or_default();
        Err(format!("{status}: {body}: {said}"))
    }

    /// Holds it still (SIGSTOP): it answers nobody and reads nothing.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        let pid = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
        let pid = pid.expect("a process id");
        rustix::process::kill_process(pid, signal).expect("the process is there");
    }
}

impl Drop for Coordinator {
    fn drop(&mut self) {
        self.kill();
    }
}

fn start(folder: &Path) -> Child {
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(log(folder))
        .expect("a log file");
    let mut command = Command::new(flotilla::path());
    command
        .arg("coordinator")
        .arg("--config")
        .arg(configuration(folder))
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a log file"))
        .stderr(log);
    child::spawn(command).expect("a coordinator starts")
}

fn configuration(folder: &Path) -> PathBuf {
    folder.join("coordinator.toml")
}

fn log(folder: &Path) -> PathBuf {
    folder.join("log")
}
