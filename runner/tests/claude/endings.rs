//! However the parts of ours that hold a waiting agent come to their end, the model never hears of a denial.
//!
//! The real Claude Code behind the real shim, ended as hosts end things: everything of ours killed at once, the shim
//! told to stop, a host that goes down. The agent takes the end of its stdin for a no, so it must be gone before.

use std::path::PathBuf;
use std::time::Duration;

use nats::ids::{CommandId, SessionId};
use runner::agent::{
    Adapter, AgentConfiguration, AgentEvent, Dialect, Input, LaunchRequest, launch,
};
use runner::shim::{self, FromShim, LineSplitter, ShimClient, ShimSpec};
use rustix::process::{Pid, Signal, kill_process};
use testkit::model_endpoint::ModelEndpoint;
use testkit::{claude, flotilla, wait};

const BOUND: Duration = Duration::from_secs(90);

/// A waiting agent under its shim, and a runner that is attached to it: this test.
struct Waiting {
    model: ModelEndpoint,
    client: ShimClient,
    adapter: Adapter,
    lines: LineSplitter,
    asked: bool,
    _home: tempfile::TempDir,
}

impl Waiting {
    async fn start() -> Self {
        let model = ModelEndpoint::start().await;
        let home = tempfile::Builder::new()
            .prefix("flotilla-endings-")
            .tempdir()
            .unwrap();
        let client = ShimClient::connect(&held(&home, &model).await, 0)
            .await
            .unwrap();
        let mut waiting = Self {
            model,
            client,
            adapter: Adapter::new(Dialect::Claude),
            lines: LineSplitter::new(0),
            asked: false,
            _home: home,
        };
        for input in waiting.adapter.handshake(1) {
            waiting.send(input).await;
        }
        let message = waiting
            .adapter
            .message(CommandId::new(), "write one.txt one\nsay done", &[]);
        waiting.send(message).await;
        tokio::time::timeout(BOUND, async {
            while !waiting.asked {
                waiting.hear().await;
            }
        })
        .await
        .unwrap();
        waiting
    }

    async fn send(&self, input: Input) {
        self.client
            .handle
            .input(input.id, input.bytes)
            .await
            .unwrap();
    }

    async fn hear(&mut self) {
        let frame = self.client.frames.next().await.unwrap();
        let Some(FromShim::Output { position, bytes }) = frame else {
            assert!(frame.is_some(), "the shim ended");
            return;
        };
        for line in self.lines.push(position, &bytes) {
            for event in self.adapter.line(&line.unwrap().bytes) {
                match event {
                    AgentEvent::Reply(input) => self.send(input).await,
                    AgentEvent::Asked(_) => self.asked = true,
                    _ => {}
                }
            }
        }
    }

    fn shim(&self) -> Pid {
        pid(self.client.hello.shim_pid)
    }

    fn agent(&self) -> Pid {
        pid(self.client.hello.agent_pid)
    }

    /// The process that holds the agent's stdin beside the shim.
    fn keeper(&self) -> Pid {
        let shim = self.client.hello.shim_pid;
        let children = std::fs::read_to_string(format!("/proc/{shim}/task/{shim}/children"));
        let keeper = children.unwrap().split_whitespace().find_map(|child| {
            let words = std::fs::read_to_string(format!("/proc/{child}/cmdline")).ok()?;
            words
                .contains("flotilla-keeper")
                .then(|| child.parse().unwrap())
        });
        pid(keeper.unwrap())
    }

    /// The agent is gone, and has told the model nothing on its way.
    async fn ended_in_silence(self) {
        let agent = self.client.hello.agent_pid;
        wait::until("the agent to be gone", BOUND, async || {
            let stat = std::fs::read_to_string(format!("/proc/{agent}/stat")).unwrap_or_default();
            match stat.rsplit_once(')') {
                Some((_, rest)) if !rest.trim_start().starts_with(['Z', 'X']) => {
                    Err(format!("{agent} still runs"))
                }
                _ => Ok(()),
            }
        })
        .await;
        let requests = self.model.requests();
        let text = serde_json::to_string(&requests).unwrap();
        assert!(!text.contains("stream closed"), "{text}");
        assert!(!text.contains("\"tool_result\""), "{text}");
    }
}

/// Starts the agent under a shim, as a session does; returns the shim's socket.
async fn held(home: &tempfile::TempDir, model: &ModelEndpoint) -> PathBuf {
    let worktree = home.path().join("a shop");
    std::fs::create_dir(&worktree).unwrap();
    let mut configuration = AgentConfiguration::default();
    for (name, value) in [
        ("ANTHROPIC_API_KEY", "no-credential"),
        ("ANTHROPIC_BASE_URL", &model.url()),
        ("CLAUDE_CODE_MAX_RETRIES", "1"),
    ] {
        configuration.env.insert(name.to_owned(), value.to_owned());
    }
    let launch = launch(
        Dialect::Claude,
        "claude",
        &LaunchRequest {
            session: SessionId::new(),
            configuration: &configuration,
            program: &claude::path(),
            worktree: &worktree,
            home: home.path(),
            environment: &std::env::vars().collect(),
        },
    );
    let mut spec = ShimSpec::new(launch.program, launch.cwd, home.path().join("socket"));
    spec.args = launch.args;
    spec.env = launch.env;
    shim::launch(&flotilla::path(), &spec, home.path())
        .await
        .unwrap();
    spec.socket
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(i32::try_from(number).unwrap()).unwrap()
}

#[tokio::test]
async fn a_shim_and_its_keeper_that_are_killed_at_once_leave_no_denial() {
    let waiting = Waiting::start().await;
    let (keeper, shim) = (waiting.keeper(), waiting.shim());
    // The keeper first: nothing is left then that could act for the shim.
    kill_process(keeper, Signal::KILL).unwrap();
    kill_process(shim, Signal::KILL).unwrap();
    waiting.ended_in_silence().await;
}

#[tokio::test]
async fn a_shim_that_is_told_to_stop_leaves_no_denial() {
    let waiting = Waiting::start().await;
    kill_process(waiting.shim(), Signal::TERM).unwrap();
    waiting.ended_in_silence().await;
}

#[tokio::test]
async fn a_host_that_goes_down_leaves_no_denial() {
    let waiting = Waiting::start().await;
    let all = [waiting.agent(), waiting.keeper(), waiting.shim()];
    // As a service manager does it: everybody is asked, and then nobody is.
    for signal in [Signal::TERM, Signal::KILL] {
        for process in all {
            kill_process(process, signal).ok();
        }
    }
    waiting.ended_in_silence().await;
}

#[tokio::test]
async fn a_runner_that_goes_away_for_good_leaves_no_denial() {
    let waiting = Waiting::start().await;
    let socket = waiting._home.path().join("socket");
    // The session's own way to end an agent, while it waits: the group first, its stdin last.
    let ended = tokio::spawn(async move { shim::end(&socket, Duration::from_secs(2)).await });
    ended.await.unwrap().unwrap();
    waiting.ended_in_silence().await;
}
