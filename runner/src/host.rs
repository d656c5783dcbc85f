//! What the sessions of a host share: its agents, its projects, and where things lie.
//!
//! Owns the latest inventory. Deliberately knows no session.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nats::ids::{HostName, SessionId};
use tokio::sync::watch;

use crate::agent::{self, AgentConfiguration, Dialect, Found, Launch, LaunchRequest, Unanswered};
use crate::disk::Room;
use crate::inventory::Inventory;

pub struct Host {
    pub name: HostName,
    pub isolated: bool,
    /// The `flotilla` program: shims and the rehearsal agent are this.
    pub flotilla: PathBuf,
    /// `DIR/sessions`.
    pub sessions: PathBuf,
    /// `DIR/worktrees`.
    pub worktrees: PathBuf,
    /// `DIR/runner/stores`.
    pub stores: PathBuf,
    pub agents: BTreeMap<String, AgentConfiguration>,
    /// The runner's own environment, from which agents get allow-listed names only.
    pub environment: BTreeMap<String, String>,
    /// An agent that had nothing to do for this long is stopped, and the next command wakes it; none: never.
    pub sleep_after: Option<Duration>,
    /// A gate that waited for this long is told of again; none: never.
    pub remind_after: Option<Duration>,
    /// Sessions go on by themselves once a usage limit is over, unless a person says otherwise.
    pub resume_after_limit: bool,
    /// Of the data folder.
    pub room: watch::Receiver<Room>,
    pub inventory: watch::Receiver<Inventory>,
}

impl Host {
    /// Where a session works.
    #[must_use]
    pub fn worktree(&self, project: &str, session: SessionId) -> PathBuf {
        self.worktrees.join(project).join(session.to_string())
    }

    /// The human's checkout of a project.
    #[must_use]
    pub fn checkout(&self, project: &str) -> Option<PathBuf> {
        let inventory = self.inventory.borrow();
        inventory
            .projects
            .iter()
            .find(|report| report.id == project)
            .map(|report| PathBuf::from(&report.path))
    }

    /// How to start an agent for a session, or why that cannot be, in a sentence.
    pub fn launch(
        &self,
        name: &str,
        session: SessionId,
        worktree: &Path,
    ) -> Result<Launch, String> {
        self.with_request(name, session, worktree, |found, request| {
            agent::launch(found.dialect, name, request)
        })
    }

    /// Makes the next process of a conversation ask again for a call that was open; or says why it cannot.
    pub fn ask_again(
        &self,
        name: &str,
        session: SessionId,
        worktree: &Path,
        call: &Unanswered<'_>,
    ) -> Result<(), String> {
        self.with_request(name, session, worktree, |found, request| {
            agent::ask_again(found.dialect, name, request, call)
                .map_err(|error| crate::chain(&error))
        })?
    }

    /// Forces what an agent wrote down of a call out to the disk; false while it has not written it.
    pub fn force_out(
        &self,
        name: &str,
        session: SessionId,
        worktree: &Path,
        tool_use: &str,
    ) -> Result<bool, String> {
        self.with_request(name, session, worktree, |found, request| {
            agent::force_out(found.dialect, name, request, tool_use)
                .map_err(|error| crate::chain(&error))
        })?
    }

    /// Whether the next process of a conversation could be made to ask again, if the one that runs ended now.
    pub fn can_ask_again(
        &self,
        name: &str,
        session: SessionId,
        worktree: &Path,
        call: &Unanswered<'_>,
    ) -> Result<(), String> {
        self.with_request(name, session, worktree, |found, request| {
            agent::can_ask_again(found.dialect, name, request, call)
                .map_err(|error| crate::chain(&error))
        })?
    }

    /// How an agent of this name speaks.
    #[must_use]
    pub fn dialect(&self, name: &str) -> Dialect {
        self.agent(name)
            .map_or(Dialect::Claude, |found| found.dialect)
    }

    /// The newest plan that an agent has written.
    #[must_use]
    pub fn plan(&self, name: &str) -> Option<String> {
        let configuration = self.agents.get(name).cloned().unwrap_or_default();
        let home = self.home(&configuration);
        agent::claude::plan_file(&agent::claude::configuration_folder(&configuration, &home))
    }

    fn with_request<T>(
        &self,
        name: &str,
        session: SessionId,
        worktree: &Path,
        then: impl FnOnce(&Found, &LaunchRequest<'_>) -> T,
    ) -> Result<T, String> {
        let found = self.agent(name)?;
        let Some(program) = found.program.as_deref().filter(|_| found.available) else {
            let hint = found.hint.unwrap_or_default();
            return Err(format!(
                "the agent `{name}` is not installed on this host; {hint}"
            ));
        };
        let configuration = self.agents.get(name).cloned().unwrap_or_default();
        let home = self.home(&configuration);
        let request = LaunchRequest {
            session,
            configuration: &configuration,
            program,
            worktree,
            home: &home,
            environment: &self.environment,
        };
        Ok(then(&found, &request))
    }

    fn agent(&self, name: &str) -> Result<Found, String> {
        let inventory = self.inventory.borrow();
        let known = || {
            inventory
                .agents
                .iter()
                .map(|it| it.name.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        inventory
            .agents
            .iter()
            .find(|it| it.name == name)
            .cloned()
            .ok_or_else(|| format!("this host knows no agent `{name}`; it has {}", known()))
    }

    fn home(&self, configuration: &AgentConfiguration) -> PathBuf {
        let own = || {
            self.environment
                .get("HOME")
                .map_or_else(|| PathBuf::from("/"), PathBuf::from)
        };
        configuration.home.clone().unwrap_or_else(own)
    }
}
