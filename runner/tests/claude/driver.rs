//! One real Claude Code process behind the adapter, as the runner starts and reads it, without shim and session.

mod written;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nats::event::{Decision, TurnOutcome, Verdict};
use nats::ids::{CommandId, GateId, SessionId};
use runner::agent::{
    Adapter, AgentConfiguration, AgentEvent, Ask, Dialect, Input, LaunchRequest, launch,
};
use serde_json::Value;
use testkit::claude;
use testkit::model_endpoint::ModelEndpoint;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::telling::tell;
use crate::transcript::plain;

/// Starting takes a second on an idle machine, and many on a loaded one.
const BOUND: Duration = Duration::from_secs(90);

pub(crate) struct Agent {
    program: PathBuf,
    home: tempfile::TempDir,
    session: SessionId,
    configuration: AgentConfiguration,
    process: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: Arc<Mutex<String>>,
    adapter: Adapter,
    generation: u32,
    /// Everything it said, in order; of all its processes.
    pub said: Vec<AgentEvent>,
    /// How much of it was waited for already.
    read: usize,
}

/// How a turn ended.
#[derive(Debug, PartialEq)]
pub(crate) struct Ending {
    pub outcome: TurnOutcome,
    pub error: Option<String>,
}

impl Agent {
    /// The pinned version, in a folder of its own with one file.
    pub(crate) async fn start(model: &ModelEndpoint) -> Self {
        Self::start_program(model, claude::path()).await
    }

    pub(crate) async fn start_program(model: &ModelEndpoint, program: PathBuf) -> Self {
        let home = tempfile::Builder::new()
            .prefix("flotilla-claude-")
            .tempdir()
            .unwrap();
        let worktree = worktree_of(&home);
        std::fs::create_dir(&worktree).unwrap();
        std::fs::write(worktree.join("README.md"), "# Shop\n").unwrap();
        Self::start_in(model, program, home).await
    }

    /// In a home where the worktree is made already.
    pub(crate) async fn start_in(
        model: &ModelEndpoint,
        program: PathBuf,
        home: tempfile::TempDir,
    ) -> Self {
        let mut configuration = AgentConfiguration::default();
        for (name, value) in [
            ("ANTHROPIC_API_KEY", "no-credential"),
            ("ANTHROPIC_BASE_URL", &model.url()),
            // Ten tries take minutes.
            ("CLAUDE_CODE_MAX_RETRIES", "1"),
        ] {
            configuration.env.insert(name.to_owned(), value.to_owned());
        }
        let session = SessionId::new();
        let (process, stdin, stdout, stderr) = spawn(&program, &home, session, &configuration);
        let adapter = Adapter::new(Dialect::Claude);
        let mut agent = Self {
            program,
            home,
            session,
            configuration,
            process,
            stdin,
            stdout,
            stderr,
            adapter,
            generation: 0,
            said: Vec::new(),
            read: 0,
        };
        agent.greet().await;
        agent
    }

    /// Kills the process and starts another one for the same session.
    pub(crate) async fn start_again(&mut self) {
        self.process.kill().await.unwrap();
        let (process, stdin, stdout, stderr) =
            spawn(&self.program, &self.home, self.session, &self.configuration);
        (self.process, self.stdin, self.stdout, self.stderr) = (process, stdin, stdout, stderr);
        self.greet().await;
    }

    /// Kills the process where it is.
    pub(crate) async fn stop(&mut self) {
        self.process.kill().await.unwrap();
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn worktree(&self) -> PathBuf {
        worktree_of(&self.home)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.worktree().join(name)
    }

    pub(crate) fn content(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) async fn say(&mut self, text: &str) -> CommandId {
        let command = CommandId::new();
        let input = self.adapter.message(command, text, &[]);
        self.send(input).await;
        command
    }

    pub(crate) async fn send(&mut self, input: Input) {
        self.stdin.write_all(&input.bytes).await.unwrap();
        self.stdin.flush().await.unwrap();
    }

    pub(crate) fn adapter(&mut self) -> &mut Adapter {
        &mut self.adapter
    }

    pub(crate) async fn interrupt(&mut self) {
        let input = self.adapter.interrupt(CommandId::new());
        self.send(input).await;
    }

    pub(crate) async fn allow(&mut self, ask: &Ask) {
        self.decide(ask, plain(Verdict::Allow)).await;
    }

    pub(crate) async fn deny(&mut self, ask: &Ask, reason: &str) {
        self.decide(
            ask,
            Decision {
                reason: Some(reason.to_owned()),
                ..plain(Verdict::Deny)
            },
        )
        .await;
    }

    pub(crate) async fn choose(&mut self, ask: &Ask, answers: &[(&str, Value)]) {
        let answers = answers
            .iter()
            .map(|(question, answer)| ((*question).to_owned(), answer.clone()))
            .collect();
        self.decide(
            ask,
            Decision {
                answers: Some(answers),
                ..plain(Verdict::Answer)
            },
        )
        .await;
    }

    pub(crate) async fn decide(&mut self, ask: &Ask, decision: Decision) {
        let input = self
            .adapter
            .answer(GateId::new(), &ask.request, &ask.input, &decision);
        self.send(input).await;
    }

    /// The next asking. It must be the next thing to wait for: a turn that ends before it fails the test.
    pub(crate) async fn asked(&mut self) -> Ask {
        let event = self
            .until("an asking", |event| {
                matches!(
                    event,
                    AgentEvent::Asked(_) | AgentEvent::TurnFinished { .. }
                )
            })
            .await;
        match event {
            AgentEvent::Asked(ask) => ask,
            other => panic!("nothing was asked: {other:?}\n{}", tell(&self.said)),
        }
    }

    /// The end of the turn. Nothing may be asked before.
    pub(crate) async fn ended(&mut self) -> Ending {
        let event = self
            .until("the end of the turn", |event| {
                matches!(
                    event,
                    AgentEvent::Asked(_) | AgentEvent::TurnFinished { .. }
                )
            })
            .await;
        match event {
            AgentEvent::TurnFinished { outcome, error, .. } => Ending { outcome, error },
            other => panic!("the turn did not end: {other:?}\n{}", tell(&self.said)),
        }
    }

    /// The end of the turn, with everything allowed on the way.
    pub(crate) async fn ended_with_all_allowed(&mut self) -> (Ending, Vec<Ask>) {
        let mut asks = Vec::new();
        loop {
            let event = self
                .until("the end of the turn", |event| {
                    matches!(
                        event,
                        AgentEvent::Asked(_) | AgentEvent::TurnFinished { .. }
                    )
                })
                .await;
            match event {
                AgentEvent::Asked(ask) => {
                    self.allow(&ask).await;
                    asks.push(ask);
                }
                AgentEvent::TurnFinished { outcome, error, .. } => {
                    return (Ending { outcome, error }, asks);
                }
                _ => {}
            }
        }
    }

    /// The next event of that kind; those before it stay in `said`.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        wanted: impl Fn(&AgentEvent) -> bool,
    ) -> AgentEvent {
        let found = timeout(BOUND, async {
            loop {
                while let Some(event) = self.said.get(self.read).cloned() {
                    self.read += 1;
                    if wanted(&event) {
                        return event;
                    }
                }
                self.read_line(what).await;
            }
        });
        match found.await {
            Ok(event) => event,
            Err(_) => panic!(
                "waited {BOUND:?} for {what}; it said:\n{}{}",
                tell(&self.said),
                self.complaints()
            ),
        }
    }

    /// What it said since `mark`, a length of `said`.
    pub(crate) fn told_since(&self, mark: usize) -> String {
        tell(&self.said[mark..])
    }

    async fn read_line(&mut self, what: &str) {
        let Some(line) = self.stdout.next_line().await.unwrap() else {
            panic!(
                "it ended while {what} was waited for; it said:\n{}{}",
                tell(&self.said),
                self.complaints()
            );
        };
        // As the runner does: the state is stored after every line.
        self.adapter =
            serde_json::from_value(serde_json::to_value(&self.adapter).unwrap()).unwrap();
        for event in self.adapter.line(line.as_bytes()) {
            if let AgentEvent::Reply(input) = &event {
                self.send(input.clone()).await;
            }
            self.said.push(event);
        }
    }

    async fn greet(&mut self) {
        self.generation += 1;
        for input in self.adapter.handshake(self.generation) {
            self.send(input).await;
        }
    }

    fn complaints(&self) -> String {
        format!("stderr: {}", self.stderr.lock().unwrap())
    }
}

pub(crate) fn worktree_of(home: &tempfile::TempDir) -> PathBuf {
    home.path().canonicalize().unwrap().join("a shop")
}

fn spawn(
    program: &Path,
    home: &tempfile::TempDir,
    session: SessionId,
    configuration: &AgentConfiguration,
) -> (
    Child,
    ChildStdin,
    Lines<BufReader<ChildStdout>>,
    Arc<Mutex<String>>,
) {
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    let launch = launch(
        Dialect::Claude,
        "claude",
        &LaunchRequest {
            session,
            configuration,
            program,
            worktree: &worktree_of(home),
            home: home.path(),
            environment: &environment,
        },
    );
    let mut process = Command::new(&launch.program)
        .args(&launch.args)
        .current_dir(&launch.cwd)
        .env_clear()
        .envs(&launch.env)
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
    (process, stdin, stdout, stderr)
}
