//! One rehearsal process in a folder of its own, and what it has said so far.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Far more than anything here takes.
const BOUND: Duration = Duration::from_secs(20);

/// A worktree and a home, shared by the processes of one test.
pub struct Place {
    folder: Arc<TempDir>,
}

/// A running process. Killed when dropped.
pub struct Agent {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    pub heard: Vec<Value>,
    /// Stays as long as anybody works in it.
    _folder: Arc<TempDir>,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("work")).expect("a worktree");
        Self {
            folder: Arc::new(folder),
        }
    }

    pub fn work(&self) -> PathBuf {
        self.folder
            .path()
            .join("work")
            .canonicalize()
            .expect("the worktree is there")
    }

    /// The process id that a command wrote into a file of the worktree, once it is there.
    pub async fn written_pid(&self, name: &str) -> Pid {
        let file = self.work().join(name);
        let read = || {
            std::fs::read_to_string(&file)
                .ok()
                .and_then(|text| text.trim().parse().ok())
                .and_then(Pid::from_raw)
        };
        until(&format!("{name} holds a process id"), || read().is_some()).await;
        read().expect("just seen")
    }

    /// Waits until a process is gone.
    pub async fn gone(pid: Pid) {
        until(&format!("process {pid:?} is gone"), || !runs(pid)).await;
    }

    /// Ends the process group of a command whose agent was killed.
    pub async fn end(pid: Pid) {
        kill_process_group(pid, Signal::KILL).expect("it runs");
        Self::gone(pid).await;
    }

    /// Starts a process with the flags of a launcher and these besides.
    pub fn start(&self, flags: &[&str]) -> Agent {
        self.start_in(flags, &[])
    }

    pub fn start_in(&self, flags: &[&str], environment: &[(&str, &str)]) -> Agent {
        let mut child = Command::new(program())
            .args([
                "-p",
                "--input-format",
                "stream-json",
                "--output-format",
                "stream-json",
                "--verbose",
            ])
            .args([
                "--include-partial-messages",
                "--replay-user-messages",
                "--permission-prompt-tool",
                "stdio",
            ])
            .args([
                "--settings",
                r#"{"permissions":{"ask":["*"]}}"#,
                "--strict-mcp-config",
            ])
            .args(flags)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .envs(environment.iter().copied())
            .current_dir(self.work())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the rehearsal starts");
        let stdout = child.stdout.take().expect("piped");
        Agent {
            stdin: child.stdin.take(),
            lines: BufReader::new(stdout).lines(),
            child,
            heard: Vec::new(),
            _folder: Arc::clone(&self.folder),
        }
    }
}

impl Agent {
    pub async fn send(&mut self, line: Value) {
        self.send_raw(&format!("{line}\n")).await;
    }

    pub async fn send_raw(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        stdin.write_all(text.as_bytes()).await.expect("it listens");
    }

    pub async fn prompt(&mut self, uuid: &str, text: &str) {
        self.send(
            json!({ "type": "user", "message": { "role": "user", "content": text },
                          "parent_tool_use_id": null, "session_id": "", "uuid": uuid }),
        )
        .await;
    }

    pub async fn request(&mut self, id: &str, subtype: &str) {
        self.send(json!({ "type": "control_request", "request_id": id, "request": { "subtype": subtype } })).await;
    }

    pub async fn answer(&mut self, request: &Value, answer: Value) {
        self.send(
            json!({ "type": "control_response", "response": { "subtype": "success",
                          "request_id": request["request_id"], "response": answer } }),
        )
        .await;
    }

    /// Says yes to a permission as it was asked.
    pub async fn allow(&mut self, request: &Value) {
        let input = request["request"]["input"].clone();
        self.answer(
            request,
            json!({ "behavior": "allow", "updatedInput": input }),
        )
        .await;
    }

    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// The next line of this type (and subtype, after a slash).
    pub async fn next(&mut self, kind: &str) -> Value {
        self.find(kind, |line| name(line) == kind || line["type"] == kind)
            .await
    }

    /// The next line that `wanted` is true of.
    pub async fn find(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = tokio::time::timeout(BOUND, self.lines.next_line()).await;
            let Ok(Ok(Some(line))) = line else {
                panic!(
                    "no {what} came ({line:?}); heard {:#?}",
                    self.heard.iter().map(name).collect::<Vec<_>>()
                );
            };
            let line: Value = serde_json::from_str(&line).expect("every line is JSON");
            self.heard.push(line.clone());
            if wanted(&line) {
                return line;
            }
        }
    }

    /// The rest of stdout, as it is.
    pub async fn rest(&mut self) -> Vec<String> {
        let mut rest = Vec::new();
        while let Ok(Some(line)) = tokio::time::timeout(BOUND, self.lines.next_line())
            .await
            .expect("it ends")
        {
            rest.push(line);
        }
        rest
    }

    pub async fn exit(&mut self) -> ExitStatus {
        tokio::time::timeout(BOUND, self.child.wait())
            .await
            .expect("it ends")
            .expect("it is our child")
    }

    pub async fn kill(mut self) {
        self.child.kill().await.expect("it is our child");
    }

    pub fn pid(&self) -> i32 {
        self.child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .expect("it runs")
    }

    /// The types of what was heard since `from`, deltas left out.
    pub fn names(&self, from: usize) -> Vec<String> {
        self.heard[from..]
            .iter()
            .map(name)
            .filter(|name| name != "stream_event")
            .collect()
    }
}

/// `type` or `type/subtype`; of a control request the inner one.
pub fn name(line: &Value) -> String {
    let kind = line["type"].as_str().unwrap_or("?");
    let subtype = line["subtype"]
        .as_str()
        .or_else(|| line["request"]["subtype"].as_str());
    subtype.map_or_else(|| kind.to_owned(), |subtype| format!("{kind}/{subtype}"))
}

/// The text of a tool's result line.
pub fn result_text(line: &Value) -> &str {
    line["message"]["content"][0]["content"]
        .as_str()
        .unwrap_or_default()
}

/// Whether it still does anything: a zombie that nobody has waited for yet does not.
fn runs(pid: Pid) -> bool {
    let stat =
        std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    state.is_some_and(|state| state != 'Z')
}

async fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let waiting = async {
        while !reached() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(BOUND, waiting)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}

/// The program beside this test: `target/…/examples/rehearse`.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let target = test
        .parent()
        .and_then(Path::parent)
        .expect("target/…/deps/");
    let program = target.join("examples").join("rehearse");
    assert!(
        program.is_file(),
        "{} is not built: cargo build -p runner --examples",
        program.display()
    );
    program
}
