//! Claude Code without Flotilla: the same program with the same arguments, on pipes of ours.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::{claude, stamp};

/// Nothing here takes nearly so long.
const BOUND: Duration = Duration::from_secs(120);

pub(super) struct Bare {
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    _process: Child,
    home: TempDir,
}

impl Bare {
    /// Starts it in a folder of its own.
    pub(super) fn start(model: &str) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        let folder = home.path().join("shop");
        std::fs::create_dir(&folder).expect("a folder");
        std::fs::write(folder.join("README.md"), "# Shop\n").expect("a file");
        let session = uuid::Uuid::now_v7().to_string();
        let mut process = Command::new(claude::path())
            .args(claude::ARGUMENTS)
            .args(["--session-id", &session])
            .current_dir(&folder)
            .env_clear()
            .envs(claude::scrubbed_environment(home.path(), model))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("Claude Code starts");
        let stdin = process.stdin.take().expect("piped");
        let stdout = BufReader::new(process.stdout.take().expect("piped")).lines();
        Self {
            stdin,
            stdout,
            _process: process,
            home,
        }
    }

    pub(super) fn folder(&self) -> std::path::PathBuf {
        self.home.path().join("shop")
    }

    pub(super) async fn say(&mut self, text: &str) {
        let message = json!({"role": "user", "content": text});
        self.send(json!({"type": "user", "message": message, "parent_tool_use_id": null}))
            .await;
    }

    /// Lets a tool call run.
    pub(super) async fn allow(&mut self, request: &Value) {
        let allowed = json!({"behavior": "allow", "updatedInput": request["request"]["input"]});
        let response =
            json!({"subtype": "success", "request_id": request["request_id"], "response": allowed});
        self.send(json!({"type": "control_response", "response": response}))
            .await;
    }

    /// The next line, unread, and when it came.
    pub(super) async fn next(&mut self) -> (u64, String) {
        let line = timeout(BOUND, self.stdout.next_line()).await;
        let line = line
            .expect("a line in time")
            .expect("a pipe")
            .expect("Claude Code goes on");
        (stamp::now_us(), line)
    }

    /// The next line that `matches`, and when it came.
    pub(super) async fn until(&mut self, matches: impl Fn(&Value) -> bool) -> (u64, Value) {
        loop {
            let (at_us, line) = self.next().await;
            let line: Value = serde_json::from_str(&line).expect("lines are JSON");
            if matches(&line) {
                return (at_us, line);
            }
        }
    }

    async fn send(&mut self, line: Value) {
        let line = format!("{line}\n");
        self.stdin
            .write_all(line.as_bytes())
            .await
            .expect("it reads");
    }
}

/// Whether a line of its output holds a piece of text.
pub(super) fn is_delta(line: &str) -> bool {
    line.contains(r#""text_delta""#)
}

/// Reads what a command has written, once it is there.
pub(super) async fn effect(path: &Path) -> u64 {
    crate::wait::until("the command's effect", BOUND, async || {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let stamp = stamp::read(&text).next();
        stamp.ok_or(text)
    })
    .await
}
