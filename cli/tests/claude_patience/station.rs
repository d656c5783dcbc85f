//! A fleet whose Claude Code soon sleeps, what its scripted model was asked, and a ledger outside of Flotilla.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};
use testkit::fleet::{BOUND, Fleet, Options};
use testkit::model_endpoint::ModelEndpoint;
use testkit::repository::Repository;
use testkit::{claude, wait};

/// Long enough for a call to be on the disk, short enough to be waited for.
const SLEEP_AFTER_MINUTES: f64 = 0.02;

/// How the agent is signed in. Neither is a credential: the scripted model takes anything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignedIn {
    WithKey,
    /// Only such an account has limits that say when they are over.
    WithSubscription,
}

pub(crate) struct Station {
    pub fleet: Fleet,
    pub model: ModelEndpoint,
    folder: tempfile::TempDir,
    _shop: Repository,
}

impl Station {
    pub(crate) async fn start() -> Self {
        Self::start_with(SignedIn::WithKey, true).await
    }

    pub(crate) async fn start_with(signed_in: SignedIn, resume_after_limit: bool) -> Self {
        let shop = Repository::new("a shop é")
            .file("README.md", "# Shop\n")
            .commit();
        let model = ModelEndpoint::start().await;
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        std::fs::create_dir(&home).unwrap();
        let mut env = claude::scrubbed_environment(&home, &model.url());
        env.remove("PATH");
        if signed_in == SignedIn::WithSubscription {
            let nothing = env.remove("ANTHROPIC_API_KEY").unwrap();
            env.insert("CLAUDE_CODE_OAUTH_TOKEN".to_owned(), nothing);
        }
        let configuration = json!({
            "runner": {"sleep_after_minutes": SLEEP_AFTER_MINUTES, "resume_after_limit": resume_after_limit},
            "agents": {"claude": {"command": claude::path(), "home": home, "env": env}},
        });
        let fleet = Fleet::start(Options {
            projects: vec![shop.path().to_owned()],
            agents: toml::to_string(&configuration).unwrap(),
            ..Options::default()
        })
        .await;
        Self {
            fleet,
            model,
            folder,
            _shop: shop,
        }
    }

    pub(crate) async fn say(&self, session: &str, text: &str) {
        let path = format!("/api/sessions/{session}/messages");
        self.fleet.post(&path, json!({"text": text})).await;
    }

    pub(crate) async fn wait_said(&self, session: &str, text: &str) {
        let what = format!("the agent to say “{text}”");
        self.fleet
            .wait_event(session, &what, |event| {
                event["type"] == "message.assistant"
                    && event["data"]["text"]
                        .as_str()
                        .is_some_and(|it| it.contains(text))
            })
            .await;
    }

    pub(crate) async fn events_of(&self, session: &str, tag: &str) -> Vec<Value> {
        let mut events = self.fleet.events(session).await;
        events.retain(|event| event["type"] == tag);
        events
    }

    pub(crate) async fn count(&self, session: &str, tag: &str) -> usize {
        self.events_of(session, tag).await.len()
    }

    /// How many processes of the agent the session has had.
    pub(crate) async fn agents(&self, session: &str) -> usize {
        let ready = self.events_of(session, "agent.ready").await;
        let generations: BTreeSet<u64> = ready
            .iter()
            .filter_map(|event| event["data"]["generation"].as_u64())
            .collect();
        generations.len()
    }

    /// A command that writes itself down where Flotilla does not look.
    pub(crate) fn ledger_step(&self, token: &str) -> String {
        format!("run {}", self.ledger_command(token))
    }

    pub(crate) fn ledger_command(&self, token: &str) -> String {
        format!("echo {token} >> {}", self.path("ledger").display())
    }

    /// What really ran.
    pub(crate) fn ledger(&self) -> String {
        std::fs::read_to_string(self.path("ledger")).unwrap_or_default()
    }

    pub(crate) async fn wait_ledger(&self, wanted: &str) {
        wait::until("the command to run", BOUND, async || {
            let ledger = self.ledger();
            (ledger == wanted).then_some(()).ok_or(ledger)
        })
        .await;
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The agent's own record of the session.
    pub(crate) async fn transcript(&self, session: &str) -> String {
        // Sessions are called after their conversation.
        let id = self.conversation(session).await;
        let projects = self.path("home/.claude/projects");
        let folders = std::fs::read_dir(projects).unwrap().flatten();
        let found = folders
            .map(|folder| folder.path().join(format!("{id}.jsonl")))
            .find(|path| path.is_file());
        std::fs::read_to_string(found.unwrap()).unwrap()
    }

    /// The command lines of everything that works in the session's worktree.
    pub(crate) async fn processes(&self, session: &str) -> Vec<String> {
        let worktree = self.fleet.worktree(session).await;
        let found = std::fs::read_dir("/proc").unwrap().flatten();
        let found = found.filter_map(|entry| {
            let here = std::fs::read_link(entry.path().join("cwd"))
                .ok()?
                .starts_with(&worktree);
            let command = std::fs::read_to_string(entry.path().join("cmdline")).ok()?;
            here.then(|| command.replace('\0', " "))
        });
        found.collect()
    }

    pub(crate) async fn wait_stopped(&self, session: &str) {
        wait::until("the agent's process to be gone", BOUND, async || {
            let processes = self.processes(session).await;
            if processes.is_empty() {
                Ok(())
            } else {
                Err(processes.join("\n"))
            }
        })
        .await;
    }

    /// Waits until the agent was stopped while its session waits for a person.
    pub(crate) async fn wait_asleep_at_gate(&self, session: &str) {
        self.fleet
            .wait_event(session, "the agent to sleep at its gate", |event| {
                event["type"] == "session.state"
                    && event["data"]["state"] == "waiting"
                    && event["data"]["reason"].is_string()
            })
            .await;
        self.wait_stopped(session).await;
    }

    /// Waits until another session, which rests from now on, was put to sleep: whoever could be by now, was.
    pub(crate) async fn let_others_sleep(&self) {
        let session = self
            .fleet
            .start_session("rehearsal", "say Good night")
            .await;
        self.fleet.wait_state(&session, &["asleep"]).await;
    }

    /// What the model was told to have failed, in all its requests.
    pub(crate) fn failures_told(&self) -> Vec<String> {
        let mut told = BTreeSet::new();
        for request in self.model.requests() {
            for message in request["messages"].as_array().into_iter().flatten() {
                for block in message["content"].as_array().into_iter().flatten() {
                    if block["is_error"] == true {
                        told.insert(block["content"].to_string());
                    }
                }
            }
        }
        told.into_iter().collect()
    }

    async fn conversation(&self, session: &str) -> String {
        let id: nats::ids::SessionId = session.parse().unwrap();
        id.uuid().to_string()
    }
}
