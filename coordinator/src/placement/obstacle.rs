//! What keeps one host from one session, in words.

use nats::ids::HostName;

use super::load::HostLoad;
use super::wanted::{Refused, Wanted};
use crate::api::HostState;
use crate::hosts::{Host, View};

/// The label that keeps a host for those who ask for it.
const POOL: &str = "pool";
/// An agent that starts takes this much before it has done anything. A machine that has little altogether is left a
/// tenth of it.
const MEMORY_FREE_BYTES_MIN: u64 = 512 * 1024 * 1024;
const MEMORY_FREE_SHARE_MIN: u64 = 10;
/// Somebody waits for memory a fifth of the time: one more agent makes all of them slower.
const MEMORY_PRESSURE_MAX: f64 = 20.0;

/// Why not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    #[error("it does not have the project")]
    ProjectElsewhere,
    #[error("{0}")]
    ProjectProblem(String),
    #[error("it cannot run the agent")]
    AgentMissing { hint: Option<String> },
    #[error("it has no label {name}={value}")]
    LabelMissing { name: String, value: String },
    #[error("it is kept for pool={0}")]
    InPool(String),
    #[error("silent")]
    Silent,
    #[error("draining")]
    Draining,
    #[error("no free slot, {busy} of {slots} taken")]
    NoSlot { busy: u32, slots: u32 },
    #[error("no free slot, it said a moment ago")]
    SaidToBeFull,
    #[error("short of memory")]
    ShortOfMemory,
}

impl Obstacle {
    /// Whether only somebody's work on that host can change it: waiting would be for nothing.
    #[must_use]
    pub const fn stays(&self) -> bool {
        match self {
            Self::ProjectElsewhere | Self::ProjectProblem(_) | Self::AgentMissing { .. } => true,
            Self::LabelMissing { .. }
            | Self::InPool(_)
            | Self::Silent
            | Self::Draining
            | Self::NoSlot { .. }
            | Self::SaidToBeFull
            | Self::ShortOfMemory => false,
        }
    }

    /// How far it is from a session: what a person can mend in a moment comes first.
    pub(super) const fn distance(&self) -> u8 {
        match self {
            Self::AgentMissing { .. } => 0,
            Self::ProjectProblem(_) => 1,
            _ => 2,
        }
    }

    /// The refusal of a session that nothing but this keeps from its host.
    pub(super) fn refusal(self, host: &HostName, wanted: &Wanted, view: &View) -> Refused {
        let host = host.clone();
        match self {
            Self::ProjectProblem(problem) => Refused::ProjectProblem {
                host,
                project: view.project_name(&wanted.project),
                problem,
            },
            Self::AgentMissing { hint } => Refused::AgentMissing {
                host,
                agent: wanted.agent.clone(),
                hint,
            },
            _ => Refused::ProjectElsewhere {
                host,
                project: view.project_name(&wanted.project),
                elsewhere: view
                    .projects_of_all()
                    .filter(|(_, project)| project.id == wanted.project)
                    .map(|(host, _)| host.record.host.clone())
                    .collect(),
            },
        }
    }
}

/// What keeps this host from the session; the one that is hardest to mend is told.
pub(super) fn obstacle(wanted: &Wanted, host: &Host, load: &HostLoad) -> Option<Obstacle> {
    let record = &host.record;
    let Some(project) = record.projects.iter().find(|it| it.id == wanted.project) else {
        return Some(Obstacle::ProjectElsewhere);
    };
    if let Some(problem) = &project.problem {
        return Some(Obstacle::ProjectProblem(problem.clone()));
    }
    let agent = record.agents.iter().find(|it| it.name == wanted.agent);
    if !agent.is_some_and(|agent| agent.available) {
        let hint = agent.and_then(|agent| agent.hint.clone());
        return Some(Obstacle::AgentMissing { hint });
    }
    for (name, value) in &wanted.host_labels {
        if record.labels.get(name) != Some(value) {
            let (name, value) = (name.clone(), value.clone());
            return Some(Obstacle::LabelMissing { name, value });
        }
    }
    if let Some(pool) = record.labels.get(POOL)
        && wanted.only_on.is_none()
        && !wanted.host_labels.contains_key(POOL)
    {
        return Some(Obstacle::InPool(pool.clone()));
    }
    if host.state == HostState::Silent {
        return Some(Obstacle::Silent);
    }
    if host.drain.is_some() {
        return Some(Obstacle::Draining);
    }
    if load.busy >= record.slots {
        let (busy, slots) = (load.busy, record.slots);
        return Some(Obstacle::NoSlot { busy, slots });
    }
    if load.said_to_be_full {
        return Some(Obstacle::SaidToBeFull);
    }
    is_short_of_memory(host).then_some(Obstacle::ShortOfMemory)
}

fn is_short_of_memory(host: &Host) -> bool {
    let least = MEMORY_FREE_BYTES_MIN.min(host.record.memory_bytes / MEMORY_FREE_SHARE_MIN);
    host.presence.as_ref().is_some_and(|presence| {
        presence.memory_free_bytes < least
            || presence
                .memory_pressure
                .is_some_and(|percent| percent > MEMORY_PRESSURE_MAX)
    })
}
