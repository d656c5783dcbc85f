//! The least that is needed to talk to Claude Code over its standard input and output.
//!
//! Deliberately no model for the product: it holds one process, waits for one turn at a time, and
//! answers every gate of the turn in the same way.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test's own helper fails the test"
)]

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::claude;
use testkit::model_endpoint::ModelEndpoint;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::turn::Turn;

/// Starting takes a second on an idle machine, and several on a loaded one.
const TURN_BOUND: Duration = Duration::from_secs(90);

pub struct Agent {
    program: PathBuf,
    home: TempDir,
    session: String,
    process: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: Arc<Mutex<String>>,
}

/// How the gates of a turn are answered.
pub enum Answer {
    /// There must be none.
    Never,
    Allow,
    Deny(String),
    Choose(Value),
}

impl Answer {
    pub fn never() -> Self {
        Self::Never
    }

    pub fn allow() -> Self {
        Self::Allow
    }

    pub fn deny(reason: &str) -> Self {
        Self::Deny(reason.to_owned())
    }

    pub fn choose(answers: &[(&str, &str)]) -> Self {
        Self::Choose(
            answers
                .iter()
                .map(|(question, label)| ((*question).to_owned(), json!(label)))
                .collect(),
        )
    }

    fn to(&self, gate: &Value) -> Value {
        let mut input = gate["input"].clone();
        match self {
            Self::Never => panic!("nothing should be asked here: {gate}"),
            Self::Allow => json!({"behavior": "allow", "updatedInput": input}),
            Self::Deny(reason) => json!({"behavior": "deny", "message": reason}),
            Self::Choose(answers) => {
                input["answers"] = answers.clone();
                json!({"behavior": "allow", "updatedInput": input})
            }
        }
    }
}

impl Agent {
    /// Starts the pinned Claude Code in a folder of its own, which holds one README.
    pub async fn start(model: &ModelEndpoint) -> Self {
        Self::start_program(model, claude::path()).await
    }

    /// The same with another version.
    pub async fn start_program(model: &ModelEndpoint, program: PathBuf) -> Self {
        let home = tempfile::Builder::new()
            .prefix("flotilla-claude-")
            .tempdir()
            .unwrap();
        fs::create_dir(home.path().join("a shop")).unwrap();
        fs::write(home.path().join("a shop/README.md"), "# Shop\n").unwrap();
        let session = uuid::Uuid::now_v7().to_string();
        Self::launch(program, home, model, "--session-id", session).await
    }

    /// Ends the process and starts another on the same session.
    pub async fn resumed(mut self, model: &ModelEndpoint) -> Self {
        drop(self.stdin);
        timeout(TURN_BOUND, self.process.wait())
            .await
            .unwrap()
            .unwrap();
        Self::launch(self.program, self.home, model, "--resume", self.session).await
    }

    async fn launch(
        program: PathBuf,
        home: TempDir,
        model: &ModelEndpoint,
        begin: &str,
        session: String,
    ) -> Self {
        let mut process = Command::new(&program)
            .args(claude::ARGUMENTS)
            .args([begin, &session])
            .current_dir(home.path().join("a shop"))
            .env_clear()
            .envs(claude::scrubbed_environment(home.path(), &model.url()))
            .env("CLAUDE_CODE_MAX_RETRIES", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdin = process.stdin.take().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap()).lines();
        let stderr = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&stderr);
        let mut source = process.stderr.take().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = source.read(&mut buffer).await {
                kept.lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
        });
        Self {
            program,
            home,
            session,
            process,
            stdin,
            stdout,
            stderr,
        }
    }

    pub fn folder(&self) -> PathBuf {
        self.home.path().join("a shop")
    }

    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder().join(file)).unwrap()
    }

    /// Sends a prompt and plays the turn to its end.
    pub async fn turn(&mut self, prompt: &str, answer: Answer) -> Turn {
        self.say(prompt).await;
        self.turn_end(answer).await
    }

    /// Sends a message and waits for nothing.
    pub async fn say(&mut self, text: &str) {
        self.send(json!({
            "type": "user",
            "message": {"role": "user", "content": text},
            "parent_tool_use_id": null,
            "session_id": self.session,
        }))
        .await;
    }

    /// Plays the turn that is running, or comes next, to its end.
    pub async fn turn_end(&mut self, answer: Answer) -> Turn {
        let mut turn = Turn::default();
        self.go_on(&mut turn, &answer, Turn::has_ended).await;
        turn
    }

    /// Plays a turn until it has brought what is waited for.
    pub async fn go_on(&mut self, turn: &mut Turn, answer: &Answer, until: impl Fn(&Turn) -> bool) {
        let played = async {
            while !until(turn) {
                let line = self.next_line().await;
                if line["type"] == "control_request" {
                    self.answer(&line, answer).await;
                }
                turn.take(line);
            }
        };
        if timeout(TURN_BOUND, played).await.is_err() {
            let last: Vec<&Value> = turn.lines.iter().rev().take(3).collect();
            panic!(
                "the turn did not come so far; last seen: {last:#?}\nstderr: {}",
                self.stderr.lock().unwrap()
            );
        }
    }

    /// Waits for the next gate and leaves it open.
    pub async fn next_gate(&mut self) -> Value {
        let gate = async {
            loop {
                let line = self.next_line().await;
                if line["type"] == "control_request" {
                    return line;
                }
            }
        };
        timeout(TURN_BOUND, gate).await.unwrap()
    }

    pub async fn answer(&mut self, gate: &Value, answer: &Answer) {
        let answered = answer.to(&gate["request"]);
        let response =
            json!({"subtype": "success", "request_id": gate["request_id"], "response": answered});
        self.send(json!({"type": "control_response", "response": response}))
            .await;
    }

    async fn send(&mut self, line: Value) {
        self.stdin
            .write_all(format!("{line}\n").as_bytes())
            .await
            .unwrap();
    }

    async fn next_line(&mut self) -> Value {
        match self.stdout.next_line().await.unwrap() {
            Some(line) => serde_json::from_str(&line).unwrap(),
            None => panic!("the agent ended; it said: {}", self.stderr.lock().unwrap()),
        }
    }
}
