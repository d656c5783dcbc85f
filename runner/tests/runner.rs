//! The daemon as a coordinator sees it: commands in, events out, on a real nats-server with a real shim and the
//! rehearsal agent. Contracts pinned here: nothing is told to the agent before EVENTS holds the decision, and a
//! runner that stops and starts again goes on with the same agent.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use nats::client::{Followed, From, Options};
use nats::command::{Command, GateDecide, MessageSend, Order, SessionStart, SessionStop};
use nats::event::{Decision, GateOpened, State, Verdict};
use nats::ids::{CommandId, HostName, SessionId, UserId};
use nats::record::{HostRecord, Presence};
use nats::seal::CommandKey;
use nats::stream::{self, Bucket};
use nats::{Client, Envelope, Event, Timestamp, Wire, subject};
use runner::Configuration;
use testkit::nats_server::NatsServer;
use testkit::repository::Repository;
use testkit::{flotilla, wait};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const BOUND: Duration = Duration::from_secs(30);

struct Station {
    client: Client,
    host: HostName,
    configuration: Configuration,
    key: CommandKey,
    runner: Option<(CancellationToken, JoinHandle<Result<(), runner::Error>>)>,
    events: mpsc::Receiver<Followed>,
    seen: Vec<Envelope>,
    _server: NatsServer,
    _data: tempfile::TempDir,
}

impl Station {
    async fn start(project: &Path) -> Self {
        Self::start_with(project, |_| {}).await
    }

    async fn start_with(project: &Path, change: impl FnOnce(&mut Configuration)) -> Self {
        let server = NatsServer::start().await;
        let data = tempfile::tempdir().unwrap();
        let host: HostName = "vps-1".parse().unwrap();
        let client = Client::connect(Options {
            url: server.url(),
            credentials: None,
            name: "test".into(),
            inbox_prefix: "_INBOX_test".into(),
        })
        .await
        .unwrap();
        client.connected().await;
        client.ensure(1).await.unwrap();
        client.ensure_host(&host, 1).await.unwrap();
        let environment = ["PATH", "HOME"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)));
        let key = CommandKey::generate();
        let mut configuration = Configuration {
            host: host.clone(),
            data: data.path().to_owned(),
            nats_url: server.url(),
            nats_credentials: None,
            coordinator: None,
            commanders: [key.public().clone()].into_iter().collect(),
            projects: vec![project.to_owned()],
            agents: BTreeMap::new(),
            slots: 4,
            sleep_after: None,
            remind_after: None,
            resume_after_limit: true,
            labels: BTreeMap::new(),
            flotilla: flotilla::path(),
            environment: environment.collect(),
        };
        change(&mut configuration);
        let events = client.follow(stream::EVENTS, subject::ALL_EVENTS, From::Sequence(1));
        let mut station = Self {
            client,
            host,
            configuration,
            key,
            runner: None,
            events,
            seen: Vec::new(),
            _server: server,
            _data: data,
        };
        station.start_runner();
        station
    }

    fn start_runner(&mut self) {
        let token = CancellationToken::new();
        let task = tokio::spawn(runner::run(self.configuration.clone(), token.clone()));
        self.runner = Some((token, task));
    }

    async fn stop_runner(&mut self) {
        let (token, task) = self.runner.take().unwrap();
        token.cancel();
        tokio::time::timeout(BOUND, task)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }

    async fn project(&self) -> String {
        let hosts = self.client.records::<HostRecord>(Bucket::Hosts);
        wait::until("the host's record", BOUND, async || {
            match hosts.get(self.host.as_str()).await {
                Ok(Some(entry)) => Ok(entry.value.projects[0].id.clone()),
                other => Err(format!("{other:?}")),
            }
        })
        .await
    }

    async fn order(&self, session: SessionId, id: CommandId, command: impl Into<Command>) {
        let order = Order {
            v: 1,
            id,
            session,
            host: self.host.clone(),
            epoch: 1,
            at: Timestamp::now(),
            by: None,
            body: Wire::Known(command.into()),
        };
        self.client.send_command(&self.key, &order).await.unwrap();
    }

    async fn start_session(&self, prompt: &str) -> SessionId {
        let session = SessionId::new();
        let start = SessionStart {
            project: self.project().await,
            agent: "rehearsal".into(),
            title: "test".into(),
            base: None,
            prompt: Some(MessageSend {
                text: prompt.into(),
                ..MessageSend::default()
            }),
            prompt_id: Some(CommandId::new()),
        };
        self.order(session, session.start_command(), start).await;
        session
    }

    /// Reads events until one gives something.
    async fn until<T>(&mut self, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        loop {
            let next = tokio::time::timeout(BOUND, self.events.recv()).await;
            let Ok(Some(message)) = next else {
                let said: Vec<_> = self
                    .seen
                    .iter()
                    .map(|it| format!("{:?}", it.body))
                    .collect();
                panic!("nothing more came after:\n{}", said.join("\n"));
            };
            let envelope: Envelope = serde_json::from_slice(&message.payload).unwrap();
            let found = envelope.event().and_then(&mut wanted);
            self.seen.push(envelope);
            if let Some(found) = found {
                return found;
            }
        }
    }

    async fn gate(&mut self) -> GateOpened {
        self.until(|event| {
            if let Event::GateOpened(gate) = event {
                Some(gate.clone())
            } else {
                None
            }
        })
        .await
    }

    async fn allow(&self, session: SessionId, gate: &GateOpened) {
        let decision = Decision {
            verdict: Verdict::Allow,
            reason: None,
            input: None,
            answers: None,
            input_hash: gate.input_hash.clone(),
            by: UserId::new(),
            by_name: "Ada".into(),
            at: Timestamp::now(),
        };
        self.order(
            session,
            gate.gate.command(),
            GateDecide {
                gate: gate.gate,
                decision,
            },
        )
        .await;
    }

    async fn turn_over(&mut self) {
        self.until(|event| matches!(event, Event::TurnFinished(_)).then_some(()))
            .await;
    }

    fn worktree(&self, session: SessionId) -> std::path::PathBuf {
        let opened = self
            .seen
            .iter()
            .find_map(|envelope| match envelope.event() {
                Some(Event::SessionOpened(it)) if envelope.session == session => {
                    Some(it.worktree.clone())
                }
                _ => None,
            });
        opened.unwrap().into()
    }

    /// Kills the agent that works in the session's worktree, as a lack of memory would.
    fn kill_agent(&self, session: SessionId) {
        let worktree = self.worktree(session);
        let agent = std::fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .find_map(|entry| {
                let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
                let here = std::fs::read_link(entry.path().join("cwd")).ok()? == worktree;
                let command = std::fs::read_to_string(entry.path().join("cmdline")).ok()?;
                (here && command.contains("rehearse")).then_some(pid)
            });
        let pid = rustix::process::Pid::from_raw(agent.unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    }

    fn tags(&self) -> Vec<&str> {
        self.seen
            .iter()
            .map(|envelope| envelope.body.tag())
            .collect()
    }

    /// What the heartbeat says of agents that run.
    async fn wait_agents(&self, wanted: u32) {
        let presence = self.client.records::<Presence>(Bucket::Presence);
        wait::until(
            "the heartbeat to count the agents",
            BOUND,
            async || match presence.get(self.host.as_str()).await {
                Ok(Some(entry)) if entry.value.sessions == wanted => Ok(()),
                other => Err(format!("{other:?}")),
            },
        )
        .await;
    }

    /// No shim of the session is left, not of any agent it ever had.
    async fn wait_no_shim(&self, session: SessionId) {
        let folder = self
            .configuration
            .data
            .join("sessions")
            .join(session.to_string());
        wait::until("the session's shims to end", BOUND, async || {
            for generation in 1..=4 {
                let socket = folder.join(format!("shim-{generation}")).join("socket");
                if runner::shim::is_alive(&socket).await {
                    return Err(format!("{} is answered", socket.display()));
                }
            }
            Ok(())
        })
        .await;
    }

    async fn end(mut self, session: SessionId) {
        self.order(session, CommandId::new(), SessionStop {}).await;
        self.until(|event| matches!(event, Event::SessionEnded(_)).then_some(()))
            .await;
        let seqs: Vec<u64> = self.seen.iter().map(|envelope| envelope.seq).collect();
        let whole: Vec<u64> = (1..=seqs.len() as u64).collect();
        assert_eq!(seqs, whole, "the log has a hole or a double");
        self.wait_agents(0).await;
        self.wait_no_shim(session).await;
        self.stop_runner().await;
    }
}

fn shop() -> Repository {
    Repository::new("shop")
        .file("README.md", "# Shop\n")
        .commit()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_in_the_log_before_the_agent_is_told() {
    let shop = shop();
    let mut station = Station::start(shop.path()).await;
    let session = station.start_session("write a.txt hello\nsay done").await;
    let gate = station.gate().await;
    station.allow(session, &gate).await;
    station.turn_over().await;
    let tags = station.tags();
    let at = |tag: &str| {
        tags.iter()
            .position(|it| *it == tag)
            .unwrap_or_else(|| panic!("no {tag} in {tags:?}"))
    };
    assert!(at("gate.opened") < at("gate.decided"));
    assert!(at("gate.decided") < at("tool.released"));
    assert!(at("tool.released") < at("tool.finished"));
    station.end(session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_was_away_goes_on_with_the_same_agent_and_takes_what_was_sent_meanwhile() {
    let shop = shop();
    let mut station = Station::start(shop.path()).await;
    let session = station.start_session("write a.txt hello\nsay done").await;
    let gate = station.gate().await;
    station.stop_runner().await;
    station.allow(session, &gate).await;
    station.start_runner();
    station.turn_over().await;
    let count = |tag: &str| station.tags().iter().filter(|it| **it == tag).count();
    assert_eq!(
        (
            count("agent.exited"),
            count("gate.opened"),
            count("tool.finished")
        ),
        (0, 1, 1)
    );
    let generations: Vec<u32> = station
        .seen
        .iter()
        .filter_map(|envelope| {
            if let Some(Event::AgentReady(it)) = envelope.event() {
                Some(it.generation)
            } else {
                None
            }
        })
        .collect();
    assert!(
        generations.iter().all(|generation| *generation == 1),
        "{generations:?}"
    );
    station.end(session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_comes_twice_is_taken_once() {
    let shop = shop();
    let mut station = Station::start(shop.path()).await;
    let session = station.start_session("say one").await;
    station.turn_over().await;
    let id = CommandId::new();
    let send = || MessageSend {
        text: "say two".into(),
        ..MessageSend::default()
    };
    station.order(session, id, send()).await;
    station.turn_over().await;
    // The server has forgotten it by now, so this is a new delivery of the same command.
    station.order(session, id, send()).await;
    station
        .order(
            session,
            CommandId::new(),
            MessageSend {
                text: "say three".into(),
                ..MessageSend::default()
            },
        )
        .await;
    station.turn_over().await;
    assert_eq!(
        station
            .tags()
            .iter()
            .filter(|tag| **tag == "message.user")
            .count(),
        3
    );
    station.end(session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_on_an_unknown_project_ends_with_the_reason() {
    let shop = shop();
    let mut station = Station::start(shop.path()).await;
    station.project().await;
    let session = SessionId::new();
    let start = SessionStart {
        project: "nowhere".into(),
        agent: "rehearsal".into(),
        title: "test".into(),
        base: None,
        prompt: None,
        prompt_id: None,
    };
    station.order(session, session.start_command(), start).await;
    let ended = station
        .until(|event| {
            if let Event::SessionEnded(it) = event {
                Some(it.clone())
            } else {
                None
            }
        })
        .await;
    assert!(
        !ended.clean && ended.reason.contains("nowhere"),
        "{ended:?}"
    );
    station.stop_runner().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_killed_with_a_gate_open_is_followed_by_one_that_asks_the_same() {
    let shop = shop();
    let mut station = Station::start(shop.path()).await;
    let session = station
        .start_session("write a.txt hello\nrun echo ran >> ledger.txt\nsay done")
        .await;
    let gate = station.gate().await;
    station.kill_agent(session);
    station
        .until(|event| matches!(event, Event::AgentExited(_)).then_some(()))
        .await;
    // Decided while no agent is there that asked: it is applied to the next one, without asking a person again.
    station.allow(session, &gate).await;
    let run = station.gate().await;
    assert_eq!(run.tool, "Bash");
    station.kill_agent(session);
    station
        .until(|event| matches!(event, Event::AgentExited(_)).then_some(()))
        .await;
    station.allow(session, &run).await;
    station.turn_over().await;
    let count = |tag: &str| station.tags().iter().filter(|it| **it == tag).count();
    assert_eq!(
        (
            count("gate.opened"),
            count("gate.withdrawn"),
            count("agent.exited")
        ),
        (2, 0, 2)
    );
    let ledger = station.worktree(session).join("ledger.txt");
    assert_eq!(
        std::fs::read_to_string(ledger).unwrap(),
        "ran\n",
        "a tool runs once"
    );
    station.end(session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_agent_is_stopped_and_woken_by_the_next_message() {
    let shop = shop();
    let mut station = Station::start_with(shop.path(), |configuration| {
        configuration.sleep_after = Some(Duration::from_millis(300));
    })
    .await;
    let session = station.start_session("say one").await;
    station
        .until(|event| match event {
            Event::SessionState(it) if it.state == State::Asleep => Some(()),
            _ => None,
        })
        .await;
    let message = MessageSend {
        text: "say two".into(),
        ..MessageSend::default()
    };
    station.order(session, CommandId::new(), message).await;
    station
        .until(|event| {
            matches!(event, Event::MessageAssistant(it) if it.text == "two").then_some(())
        })
        .await;
    let exits = station
        .tags()
        .iter()
        .filter(|tag| **tag == "agent.exited")
        .count();
    assert_eq!(exits, 0, "sleep is not a crash");
    station.end(session).await;
}

fn asleep_while_it_waits(event: &Event) -> Option<()> {
    match event {
        Event::SessionState(it) if it.state == State::Waiting && it.reason.is_some() => Some(()),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_sleeps_at_its_gate_also_through_a_restart_and_the_decision_wakes_it() {
    let shop = shop();
    let mut station = Station::start_with(shop.path(), |configuration| {
        configuration.sleep_after = Some(Duration::from_millis(300));
    })
    .await;
    let session = station
        .start_session("run echo ran >> ledger.txt\nsay done")
        .await;
    let gate = station.gate().await;
    station.until(asleep_while_it_waits).await;
    station.wait_no_shim(session).await;
    station.stop_runner().await;
    station.start_runner();
    station.allow(session, &gate).await;
    station.turn_over().await;
    let count = |tag: &str| station.tags().iter().filter(|it| **it == tag).count();
    assert_eq!(
        (
            count("gate.opened"),
            count("gate.withdrawn"),
            count("agent.exited"),
            count("turn.started"),
        ),
        (1, 0, 0, 1),
        "the same gate, and nobody is asked twice"
    );
    let ledger = station.worktree(session).join("ledger.txt");
    assert_eq!(
        std::fs::read_to_string(ledger).unwrap(),
        "ran\n",
        "a tool runs once"
    );
    station.end(session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_waits_for_long_is_told_of_again() {
    let shop = shop();
    let mut station = Station::start_with(shop.path(), |configuration| {
        configuration.remind_after = Some(Duration::from_millis(200));
    })
    .await;
    let session = station.start_session("write a.txt hello").await;
    let gate = station.gate().await;
    let reminded = station
        .until(|event| match event {
            Event::GateReminded(it) => Some((it.gate, it.count)),
            _ => None,
        })
        .await;
    assert_eq!(reminded, (gate.gate, 1));
    station.end(session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_by_itself_once_its_usage_limit_is_over() {
    let shop = shop();
    let mut station = Station::start_with(shop.path(), |_| {}).await;
    let session = station
        .start_session("say before\nlimit 2\nsay afterwards")
        .await;
    let limit = station
        .until(|event| match event {
            Event::LimitReached(it) => Some(it.clone()),
            _ => None,
        })
        .await;
    assert!(limit.resumes && limit.resets_at.is_some() && limit.turn.is_some());
    station
        .until(|event| {
            matches!(event, Event::MessageAssistant(it) if it.text == "afterwards").then_some(())
        })
        .await;
    station.end(session).await;
}

/// The newest state of a session that has been heard, with its reason.
fn stands(seen: &[Envelope], session: SessionId) -> Option<(State, String)> {
    let told = seen.iter().rev().filter(|it| it.session == session);
    told.filter_map(|envelope| match envelope.event() {
        Some(Event::SessionState(it)) => Some((it.state, it.reason.clone().unwrap_or_default())),
        _ => None,
    })
    .next()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_agent_makes_room_and_a_message_on_a_full_host_waits_for_its_slot_over_a_restart() {
    let shop = shop();
    let mut station =
        Station::start_with(shop.path(), |configuration| configuration.slots = 1).await;
    let idle = station.start_session("say hello").await;
    station.turn_over().await;
    let busy = station.start_session("write a.txt hello\nsay done").await;
    let gate = station.gate().await;
    let (state, reason) = stands(&station.seen, idle).unwrap();
    assert_eq!(state, State::Asleep);
    assert!(reason.contains("make room"), "{reason}");

    let message = CommandId::new();
    let text = MessageSend {
        text: "say still here".into(),
        ..MessageSend::default()
    };
    station.order(idle, message, text).await;
    let waits = |event: &Event| match event {
        Event::SessionState(it) => it.reason.clone().filter(|why| why.contains("free slot")),
        _ => None,
    };
    station.until(waits).await;
    station.wait_agents(1).await;
    // It is in the session's log, and a restart of the runner changes nothing.
    station.stop_runner().await;
    station.start_runner();
    station.wait_agents(1).await;
    station.allow(busy, &gate).await;
    // Its turn over, the other has nothing to do and makes room in turn.
    let delivered = station
        .until(|event| match event {
            Event::MessageDelivered(it) if it.command == message => Some(it.command),
            _ => None,
        })
        .await;
    assert_eq!(delivered, message);
    station.turn_over().await;
    let (state, reason) = stands(&station.seen, busy).unwrap();
    assert_eq!(state, State::Asleep);
    assert!(reason.contains("make room"), "{reason}");
    for session in [idle, busy] {
        station
            .order(session, CommandId::new(), SessionStop {})
            .await;
    }
    station.wait_agents(0).await;
    station.wait_no_shim(idle).await;
    station.wait_no_shim(busy).await;
    station.stop_runner().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_without_a_slot_is_refused_for_its_epoch_for_good_and_taken_in_the_next() {
    use futures::StreamExt as _;
    let shop = shop();
    let mut station =
        Station::start_with(shop.path(), |configuration| configuration.slots = 1).await;
    let busy = station.start_session("write a.txt hello\nsay done").await;
    station.gate().await;
    let mut refusals = std::pin::pin!(station.client.start_refusals().await.unwrap());
    let session = SessionId::new();
    let start = SessionStart {
        project: station.project().await,
        agent: "rehearsal".into(),
        title: "late".into(),
        base: None,
        prompt: Some(MessageSend {
            text: "say hello".into(),
            ..MessageSend::default()
        }),
        prompt_id: Some(CommandId::new()),
    };
    let id = session.start_command();
    station.order(session, id, start.clone()).await;
    let refused = tokio::time::timeout(BOUND, refusals.next())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((refused.session, refused.epoch), (session, 1));
    // What is said to it here is nobody's loss, and no forgery.
    station
        .order(session, CommandId::new(), SessionStop {})
        .await;
    station.order(busy, CommandId::new(), SessionStop {}).await;
    station.wait_agents(0).await;
    station.wait_no_shim(busy).await;
    // There is room now, and the runner is another; it was refused all the same.
    station.stop_runner().await;
    station.start_runner();
    station.order(session, id, start.clone()).await;
    let again = tokio::time::timeout(BOUND, refusals.next())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((again.session, again.epoch), (session, 1));
    let order = Order {
        v: 1,
        id,
        session,
        host: station.host.clone(),
        epoch: 2,
        at: Timestamp::now(),
        by: None,
        body: Wire::Known(start.into()),
    };
    let key = &station.key;
    station.client.send_command(key, &order).await.unwrap();
    station
        .until(|event| match event {
            Event::SessionOpened(opened) if opened.title == "late" => Some(()),
            _ => None,
        })
        .await;
    let of_it: Vec<u64> = station
        .seen
        .iter()
        .filter(|envelope| envelope.session == session)
        .map(|envelope| envelope.epoch)
        .collect();
    assert!(!of_it.is_empty() && of_it.iter().all(|epoch| *epoch == 2));
    let presence = station.client.records::<Presence>(Bucket::Presence);
    let beat = presence.get(station.host.as_str()).await.unwrap().unwrap();
    assert_eq!(beat.value.commands_refused, 0);
    let stop = Order {
        id: CommandId::new(),
        body: Wire::Known(SessionStop {}.into()),
        ..order
    };
    // Not while its agent still starts: what is left is looked for below.
    station.turn_over().await;
    let sent = station.client.send_command(&station.key, &stop).await;
    sent.unwrap();
    station
        .until(|event| matches!(event, Event::SessionEnded(_)).then_some(()))
        .await;
    station.wait_agents(0).await;
    station.wait_no_shim(session).await;
    station.stop_runner().await;
}
