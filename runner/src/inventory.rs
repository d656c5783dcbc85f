//! What this host can do, looked at now and then and reported when it changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nats::client::Records;
use nats::ids::HostName;
use nats::record::{AgentReport, HostRecord, ProjectReport};
use nats::stream::Bucket;
use nats::{Client, Timestamp};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::agent::{self, AgentConfiguration, Found};
use crate::worktree::Project;

/// Projects change under people's hands: a commit or a branch should show soon.
const LOOK_AT_PROJECTS_EVERY: Duration = Duration::from_secs(15);
/// Agents are installed rarely and asking for a version starts a process.
const LOOKS_BETWEEN_AGENTS: u32 = 20;
const PAUSE_AFTER_FAILED_REPORT: Duration = Duration::from_secs(1);

/// What was seen last.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inventory {
    pub agents: Vec<Found>,
    pub projects: Vec<ProjectReport>,
}

/// What does not change while the runner lives.
#[derive(Debug, Clone)]
pub struct Fixed {
    pub host: HostName,
    pub isolated: bool,
    pub slots: u32,
    pub labels: BTreeMap<String, String>,
    pub flotilla: PathBuf,
    pub agents: BTreeMap<String, AgentConfiguration>,
    pub projects: Vec<PathBuf>,
    pub started_at: Timestamp,
}

impl Fixed {
    /// Looks at everything.
    pub async fn look(&self) -> Inventory {
        Inventory {
            agents: agent::discover(&self.agents, &self.flotilla).await,
            projects: self.look_at_projects().await,
        }
    }

    async fn look_at_projects(&self) -> Vec<ProjectReport> {
        let paths = self.projects.clone();
        let looked =
            tokio::task::spawn_blocking(move || paths.iter().map(|path| report(path)).collect());
        looked.await.unwrap_or_default()
    }

    fn record(&self, inventory: &Inventory) -> HostRecord {
        HostRecord {
            host: self.host.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            operating_system: operating_system(),
            started_at: self.started_at,
            isolated: self.isolated,
            agents: inventory.agents.iter().map(agent_report).collect(),
            projects: inventory.projects.clone(),
            slots: self.slots,
            labels: self.labels.clone(),
            memory_bytes: crate::presence::Memory::now().total_bytes,
        }
    }
}

/// Keeps the host's record true until cancelled.
pub async fn keep(
    fixed: Fixed,
    client: Client,
    sender: watch::Sender<Inventory>,
    token: CancellationToken,
) {
    let records: Records<HostRecord> = client.records(Bucket::Hosts);
    let mut reported = None;
    let mut looks = 0_u32;
    loop {
        let record = fixed.record(&sender.borrow());
        if reported.as_ref() != Some(&record) {
            match records.put(fixed.host.as_str(), &record).await {
                Ok(_) => reported = Some(record),
                Err(error) => {
                    tracing::debug!(%error, "could not report the inventory; trying again");
                    tokio::select! {
                        () = tokio::time::sleep(PAUSE_AFTER_FAILED_REPORT) => continue,
                        () = token.cancelled() => return,
                    }
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_AT_PROJECTS_EVERY) => {}
            () = token.cancelled() => return,
        }
        looks += 1;
        let seen = if looks.is_multiple_of(LOOKS_BETWEEN_AGENTS) {
            fixed.look().await
        } else {
            let projects = fixed.look_at_projects().await;
            Inventory {
                projects,
                ..sender.borrow().clone()
            }
        };
        sender.send_replace(seen);
    }
}

fn report(path: &Path) -> ProjectReport {
    let name = path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    );
    match Project::recognise(path) {
        Ok(project) => ProjectReport {
            problem: (!project.has_commits()).then(|| {
                format!(
                    "`{}` has no commit yet; make a first commit, then start a session",
                    path.display()
                )
            }),
            id: project.id,
            name: project.name,
            path: project.path.display().to_string(),
            remote: project.remote,
            branch: project.branch,
            head: project.head,
            uncommitted: u32::try_from(project.uncommitted).unwrap_or(u32::MAX),
        },
        Err(error) => ProjectReport {
            id: name.clone(),
            name,
            path: path.display().to_string(),
            remote: None,
            branch: None,
            head: None,
            uncommitted: 0,
            problem: Some(crate::chain(&error)),
        },
    }
}

fn agent_report(found: &Found) -> AgentReport {
    AgentReport {
        name: found.name.clone(),
        title: found.title.clone(),
        version: found.version.clone(),
        command: found
            .program
            .as_ref()
            .map(|path| path.display().to_string()),
        available: found.available,
        hint: found.hint.clone(),
    }
}

fn operating_system() -> String {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let pretty = release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="));
    pretty.map_or_else(
        || std::env::consts::OS.to_owned(),
        |name| name.trim_matches('"').to_owned(),
    )
}
