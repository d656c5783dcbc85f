//! One installation, private to a test: its folder, the running `up`, and what it told. Dropping it ends all of it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tempfile::TempDir;
use testkit::{child, wait};

/// The three parts are up within a second; a machine that runs many tests at once needs longer.
pub const BOUND: Duration = Duration::from_secs(60);

pub struct Installation {
    place: TempDir,
    up: Option<Child>,
}

/// The ready file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    pub url: String,
    pub setup_token: Option<String>,
    pub nats_url: String,
    pub nats_creds: PathBuf,
    pub pids: Pids,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pids {
    pub nats: i32,
    pub coordinator: i32,
    /// None where none is wanted.
    pub runner: Option<i32>,
}

impl Installation {
    pub fn new() -> Self {
        let place = tempfile::Builder::new()
            .prefix("flotilla up ")
            .tempdir()
            .unwrap();
        std::fs::create_dir(place.path().join("home")).unwrap();
        Self { place, up: None }
    }

    /// The data folder: not the plainest of paths.
    pub fn data(&self) -> PathBuf {
        self.place.path().join("my \"große\" data")
    }

    pub fn ready_file(&self) -> PathBuf {
        self.place.path().join("ready.json")
    }

    pub fn place(&self) -> &Path {
        self.place.path()
    }

    /// `flotilla` with these words, in this installation's surroundings.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(testkit::flotilla::path());
        command
            .args(words)
            .env("HOME", self.place.path().join("home"))
            .env_remove("RUST_LOG")
            .stdin(Stdio::null());
        command
    }

    /// `flotilla up` on any free port.
    pub fn up_command(&self) -> Command {
        let mut command = self.command(&["up", "--listen", "127.0.0.1:0"]);
        command
            .arg("--data")
            .arg(self.data())
            .arg("--ready-file")
            .arg(self.ready_file());
        command
    }

    /// Starts `up` and waits until it says that all is up.
    pub async fn up(&mut self) -> Ready {
        let command = self.up_command();
        self.start(command).await
    }

    pub async fn start(&mut self, mut command: Command) -> Ready {
        let said = File::create(self.said_file()).unwrap();
        command.stdout(said.try_clone().unwrap()).stderr(said);
        self.up = Some(child::spawn(command).unwrap());
        self.ready_when("the ready file", |_| true).await
    }

    /// The ready file, once it is as it should be.
    pub async fn ready_when(&mut self, what: &str, right: impl Fn(&Ready) -> bool) -> Ready {
        let (path, said) = (self.ready_file(), self.said_file());
        let up = self.up.as_mut().expect("`up` was started");
        wait::until(what, BOUND, async || {
            if let Some(status) = up.try_wait().unwrap() {
                let said = std::fs::read_to_string(&said).unwrap();
                panic!("`up` ended ({status}), having said:\n{said}");
            }
            let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
            let ready: Ready = serde_json::from_str(&text).expect("a whole ready file");
            if right(&ready) { Ok(ready) } else { Err(text) }
        })
        .await
    }

    /// Asks `up` to end as Ctrl-C does, and gives what it said in all its life.
    pub async fn interrupt(&mut self) -> String {
        self.signal(Signal::INT);
        self.ended().await
    }

    /// What a terminal that is closed does to its programs.
    pub fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    /// Ends `up` with no chance to tidy.
    pub async fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.ended().await;
    }

    /// What `up` said in all its life, once it has ended.
    pub async fn ended(&mut self) -> String {
        let mut up = self.up.take().expect("`up` was started");
        wait::until("`up` to end", BOUND, async || {
            let status = up.try_wait().unwrap();
            status.ok_or_else(|| "still running".to_owned())
        })
        .await;
        std::fs::read_to_string(self.said_file()).unwrap()
    }

    pub fn down(&self) -> Output {
        let mut command = self.command(&["down", "--data"]);
        command.arg(self.data()).output().unwrap()
    }

    fn said_file(&self) -> PathBuf {
        self.place.path().join("said")
    }

    fn signal(&self, signal: Signal) {
        let up = self.up.as_ref().expect("`up` was started");
        kill_process(Pid::from_child(up), signal).unwrap();
    }
}

impl Drop for Installation {
    /// Shims outlive everything but `down`, and a failed test must leave none.
    fn drop(&mut self) {
        self.down();
        if let Some(mut up) = self.up.take() {
            // It has ended by itself; either way nothing is left to do about it.
            let _ = up.kill();
            let _ = up.wait();
        }
    }
}

/// Whether a process runs, and is more than its remains.
pub fn is_alive(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(')').unwrap().1.starts_with(" Z"))
}

/// Waits until a process is gone.
pub async fn is_gone(what: &str, pid: i32) {
    wait::until(&format!("the end of {what}"), BOUND, async || {
        if is_alive(pid) {
            Err(format!("process {pid} runs"))
        } else {
            Ok(())
        }
    })
    .await;
}
