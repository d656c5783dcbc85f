//! All hosts at one moment, to be read without waiting.

use std::collections::BTreeMap;
use std::sync::Arc;

use nats::Timestamp;
use nats::ids::HostName;
use nats::record::{AgentReport, DrainRecord, HostRecord, Presence, ProjectReport};
use nats::revocation::Revocation;
use tokio::sync::watch;

use crate::api::{AgentHost, AgentRow, Draining, HostRow, HostState, ProjectHost, ProjectRow};

/// One host as it is known now.
#[derive(Debug, Clone, PartialEq)]
pub struct Host {
    pub record: HostRecord,
    pub presence: Option<Presence>,
    pub heard_at: Option<Timestamp>,
    pub state: HostState,
    /// Since when it takes no new sessions, and who said so.
    pub drain: Option<DrainRecord>,
    /// Who took it out of the fleet. Nothing is heard from it any more.
    pub revoked: Option<Revocation>,
}

/// All of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct View {
    pub hosts: BTreeMap<HostName, Host>,
    /// Whether all records of hosts that drain have been read.
    pub drains_known: bool,
}

/// The latest view, and a way to wait for the next. Cheap to clone.
#[derive(Clone)]
pub struct Hosts {
    latest: watch::Receiver<Arc<View>>,
}

impl Hosts {
    #[must_use]
    pub const fn new(latest: watch::Receiver<Arc<View>>) -> Self {
        Self { latest }
    }

    #[must_use]
    pub fn view(&self) -> Arc<View> {
        self.latest.borrow().clone()
    }

    /// Every later view.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Arc<View>> {
        self.latest.clone()
    }
}

impl View {
    #[must_use]
    pub fn state(&self, host: &HostName) -> HostState {
        self.hosts
            .get(host)
            .map_or(HostState::Unknown, |host| host.state)
    }

    /// What people call a project; its id when no host reports it any more.
    #[must_use]
    pub fn project_name(&self, id: &str) -> String {
        self.projects_of_all()
            .find(|(_, project)| project.id == id)
            .map_or_else(|| id.to_owned(), |(_, project)| project.name.clone())
    }

    /// Every checkout on every host.
    pub fn projects_of_all(&self) -> impl Iterator<Item = (&Host, &ProjectReport)> {
        self.hosts.values().flat_map(|host| {
            host.record
                .projects
                .iter()
                .map(move |project| (host, project))
        })
    }

    /// Every report of an agent on every host.
    pub fn agents_of_all(&self) -> impl Iterator<Item = (&Host, &AgentReport)> {
        self.hosts
            .values()
            .flat_map(|host| host.record.agents.iter().map(move |agent| (host, agent)))
    }

    #[must_use]
    pub fn rows(&self) -> Vec<HostRow> {
        self.hosts.values().map(Host::row).collect()
    }

    /// One row a project, by name.
    #[must_use]
    pub fn projects(&self) -> Vec<ProjectRow> {
        let mut rows: BTreeMap<&str, ProjectRow> = BTreeMap::new();
        for (host, project) in self.projects_of_all() {
            let row = rows.entry(&project.id).or_insert_with(|| ProjectRow {
                id: project.id.clone(),
                name: project.name.clone(),
                remote: project.remote.clone(),
                hosts: Vec::new(),
            });
            row.hosts.push(ProjectHost {
                host: host.record.host.clone(),
                state: host.state,
                path: project.path.clone(),
                branch: project.branch.clone(),
                head: project.head.clone(),
                uncommitted: project.uncommitted,
                problem: project.problem.clone(),
            });
        }
        let mut rows: Vec<ProjectRow> = rows.into_values().collect();
        rows.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        rows
    }

    /// One row an agent, by name.
    #[must_use]
    pub fn agents(&self) -> Vec<AgentRow> {
        let mut rows: BTreeMap<&str, AgentRow> = BTreeMap::new();
        for (host, agent) in self.agents_of_all() {
            let row = rows.entry(&agent.name).or_insert_with(|| AgentRow {
                name: agent.name.clone(),
                title: agent.title.clone(),
                available: false,
                hosts: Vec::new(),
            });
            row.available |= agent.available && host.state != HostState::Silent;
            row.hosts.push(AgentHost {
                host: host.record.host.clone(),
                state: host.state,
                version: agent.version.clone(),
                command: agent.command.clone(),
                available: agent.available,
                hint: agent.hint.clone(),
            });
        }
        rows.into_values().collect()
    }
}

impl Host {
    #[must_use]
    pub fn row(&self) -> HostRow {
        let record = self.record.clone();
        HostRow {
            host: record.host,
            state: self.state,
            heard_at: self.heard_at,
            version: record.version,
            operating_system: record.operating_system,
            started_at: record.started_at,
            isolated: record.isolated,
            agents: record.agents,
            projects: record.projects,
            slots: record.slots,
            sessions: self
                .presence
                .as_ref()
                .map_or(0, |presence| presence.sessions),
            waiting_for_slot: self
                .presence
                .as_ref()
                .and_then(|presence| presence.slots)
                .map_or(0, |slots| slots.waiting),
            draining: self.drain.as_ref().map(|drain| Draining {
                since: drain.since,
                by: drain.by,
                by_name: drain.by_name.clone(),
            }),
            labels: record.labels,
            memory_bytes: record.memory_bytes,
            memory_free_bytes: self
                .presence
                .as_ref()
                .map(|presence| presence.memory_free_bytes),
            commands_refused: self
                .presence
                .as_ref()
                .map_or(0, |presence| presence.commands_refused),
            revoked_at: self.revoked.as_ref().map(|revocation| revocation.at),
            revoked_by_name: self
                .revoked
                .as_ref()
                .map(|revocation| revocation.by_name.clone()),
            load: self.presence.as_ref().map(|presence| presence.load),
        }
    }
}
