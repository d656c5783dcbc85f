//! An installation to measure: with the real Claude Code at a scripted model, and a project for its sessions.

use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::claude;
use crate::fleet::{Fleet, Options};
use crate::model_endpoint::ModelEndpoint;
use crate::repository::Repository;

/// More than is ever asked for at once.
const SLOTS: usize = 2000;

pub(super) struct Stage {
    pub fleet: Fleet,
    pub model: ModelEndpoint,
    pub project: String,
    _repository: Repository,
    _home: TempDir,
}

impl Stage {
    pub(super) async fn set() -> Self {
        let model = ModelEndpoint::start().await;
        let home = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository::new("shop")
            .file("README.md", "# Shop\n")
            .commit();
        let options = Options {
            projects: vec![repository.path().to_owned()],
            agents: format!(
                "[runner]\nslots = {SLOTS}\n{}",
                claude::section(home.path(), &model.url())
            ),
            ..Options::default()
        };
        let fleet = Fleet::start(options).await;
        let project = fleet.project().await;
        Self {
            fleet,
            model,
            project,
            _repository: repository,
            _home: home,
        }
    }

    /// Asks for a session, and gives its id as soon as that is accepted.
    pub(super) async fn start(&self, agent: &str, prompt: &str) -> String {
        let id = format!("ses_{}", Uuid::now_v7().simple());
        let body = json!({"id": id, "project": self.project, "agent": agent, "prompt": prompt});
        let session = self.fleet.post("/api/sessions", body).await;
        session["id"]
            .as_str()
            .expect("a session has an id")
            .to_owned()
    }

    /// Starts a session, and waits until it has done what it was asked.
    pub(super) async fn rested(&self, agent: &str, prompt: &str) -> String {
        let session = self.start(agent, prompt).await;
        self.rests(&session).await;
        session
    }

    pub(super) async fn say(&self, session: &str, text: &str) {
        let body = json!({"text": text});
        self.fleet
            .post(&format!("/api/sessions/{session}/messages"), body)
            .await;
    }

    pub(super) async fn rests(&self, session: &str) {
        self.fleet.wait_state(session, &["idle"]).await;
    }

    pub(super) async fn stop(&self, session: &str) {
        let path = format!("/api/sessions/{session}/stop");
        self.fleet.post(&path, json!({})).await;
        self.fleet.wait_state(session, &["ended"]).await;
    }

    /// One of `up`'s parts.
    pub(super) fn pid(&self, part: &str) -> i32 {
        let pid = self.fleet.ready()["pids"][part].as_i64();
        let pid = pid.and_then(|pid| i32::try_from(pid).ok());
        pid.expect("the ready file names the pid")
    }

    /// The number of its last event.
    pub(super) async fn last_seq(&self, session: &str) -> u64 {
        let row: Value = self.fleet.get(&format!("/api/sessions/{session}")).await;
        row["last_seq"].as_u64().unwrap_or(0)
    }
}
