//! Where a session goes: a pure function of what was asked and what the hosts report.
//!
//! Knows no clock and no network. Either a host with the reason for it, or why there is none, in words that help.

use std::collections::{BTreeSet, HashMap};

use nats::ids::HostName;

use crate::api::HostState;
use crate::hosts::{Host, View};

/// What a session needs.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// A project's id, or its name where only one has it.
    pub project: &'a str,
    pub agent: &'a str,
    /// Only there.
    pub host: Option<&'a str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    pub host: HostName,
    /// The project's id.
    pub project: String,
    /// Why there, in a sentence.
    pub reason: String,
}

/// Why a session cannot start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("There is no project `{asked}`.")]
    UnknownProject { asked: String, known: Vec<String> },
    #[error("Several projects are called `{asked}`.")]
    AmbiguousProject { asked: String, ids: Vec<String> },
    #[error("There is no host `{asked}`.")]
    UnknownHost { asked: String, known: Vec<String> },
    #[error("There is no agent `{asked}`.")]
    UnknownAgent { asked: String, known: Vec<String> },
    #[error("{host} does not have the project `{project}`.")]
    ProjectElsewhere {
        host: HostName,
        project: String,
        elsewhere: Vec<HostName>,
    },
    #[error("No session can start in `{project}` on {host}: {problem}")]
    ProjectProblem {
        host: HostName,
        project: String,
        problem: String,
    },
    #[error("The agent `{agent}` is not available on {host}.")]
    AgentMissing {
        host: HostName,
        agent: String,
        hint: Option<String>,
    },
    #[error("{host} is silent: its runner has not been heard of for a while.")]
    HostSilent { host: HostName },
}

/// Chooses among the hosts that have the project and can run the agent the one with the fewest sessions.
/// `sessions` counts those that have not ended.
pub fn place(
    wanted: Wanted<'_>,
    view: &View,
    sessions: &HashMap<HostName, u32>,
) -> Result<Placed, Refused> {
    let project = project(wanted.project, view)?;
    known_agent(wanted.agent, view)?;
    if let Some(asked) = wanted.host {
        let host = view
            .hosts
            .values()
            .find(|host| host.record.host.as_str() == asked)
            .ok_or_else(|| Refused::UnknownHost {
                asked: asked.to_owned(),
                known: view.hosts.keys().map(ToString::to_string).collect(),
            })?;
        suits(host, &project, wanted.agent, view)?;
        return Ok(Placed {
            host: host.record.host.clone(),
            project,
            reason: "asked for".to_owned(),
        });
    }
    let having = || view.hosts.values().filter(|host| has(host, &project));
    let fewest = having()
        .filter(|host| suits(host, &project, wanted.agent, view).is_ok())
        .min_by_key(|host| (count(host, sessions), host.record.host.clone()));
    if let Some(host) = fewest {
        return Ok(Placed {
            host: host.record.host.clone(),
            project,
            reason: format!(
                "has the project and the agent, and {} sessions",
                count(host, sessions)
            ),
        });
    }
    // None suits: say why of the one that is nearest to it.
    let nearest = having()
        .filter_map(|host| suits(host, &project, wanted.agent, view).err())
        .min_by_key(distance);
    Err(nearest.unwrap_or(Refused::UnknownProject {
        asked: project,
        known: project_names(view),
    }))
}

/// Whether this host can take the session.
fn suits(host: &Host, project: &str, agent: &str, view: &View) -> Result<(), Refused> {
    let name = host.record.host.clone();
    let Some(report) = host
        .record
        .projects
        .iter()
        .find(|report| report.id == project)
    else {
        let elsewhere = view.hosts.values().filter(|host| has(host, project));
        return Err(Refused::ProjectElsewhere {
            host: name,
            project: view.project_name(project),
            elsewhere: elsewhere.map(|host| host.record.host.clone()).collect(),
        });
    };
    if host.state == HostState::Silent {
        return Err(Refused::HostSilent { host: name });
    }
    if let Some(problem) = &report.problem {
        return Err(Refused::ProjectProblem {
            host: name,
            project: report.name.clone(),
            problem: problem.clone(),
        });
    }
    let found = host
        .record
        .agents
        .iter()
        .find(|report| report.name == agent);
    if found.is_some_and(|report| report.available) {
        return Ok(());
    }
    Err(Refused::AgentMissing {
        host: name,
        agent: agent.to_owned(),
        hint: found.and_then(|report| report.hint.clone()),
    })
}

fn project(asked: &str, view: &View) -> Result<String, Refused> {
    if view
        .projects_of_all()
        .any(|(_, project)| project.id == asked)
    {
        return Ok(asked.to_owned());
    }
    let named: BTreeSet<&str> = view
        .projects_of_all()
        .filter(|(_, project)| project.name == asked)
        .map(|(_, project)| project.id.as_str())
        .collect();
    let mut ids = named.iter();
    match (ids.next(), ids.next()) {
        (Some(only), None) => Ok((*only).to_owned()),
        (Some(_), Some(_)) => Err(Refused::AmbiguousProject {
            asked: asked.to_owned(),
            ids: named.iter().map(ToString::to_string).collect(),
        }),
        (None, _) => Err(Refused::UnknownProject {
            asked: asked.to_owned(),
            known: project_names(view),
        }),
    }
}

fn known_agent(asked: &str, view: &View) -> Result<(), Refused> {
    let known: BTreeSet<&str> = view
        .agents_of_all()
        .map(|(_, agent)| agent.name.as_str())
        .collect();
    if known.contains(asked) {
        return Ok(());
    }
    Err(Refused::UnknownAgent {
        asked: asked.to_owned(),
        known: known.iter().map(ToString::to_string).collect(),
    })
}

fn project_names(view: &View) -> Vec<String> {
    let names: BTreeSet<&str> = view
        .projects_of_all()
        .map(|(_, project)| project.name.as_str())
        .collect();
    names.iter().map(ToString::to_string).collect()
}

fn has(host: &Host, project: &str) -> bool {
    host.record
        .projects
        .iter()
        .any(|report| report.id == project)
}

fn count(host: &Host, sessions: &HashMap<HostName, u32>) -> u32 {
    sessions.get(&host.record.host).copied().unwrap_or(0)
}

/// How far a refusal is from a session: what a person can mend in a moment comes first.
const fn distance(refused: &Refused) -> u8 {
    match refused {
        Refused::AgentMissing { .. } => 0,
        Refused::ProjectProblem { .. } => 1,
        Refused::HostSilent { .. } => 2,
        Refused::ProjectElsewhere { .. }
        | Refused::UnknownProject { .. }
        | Refused::AmbiguousProject { .. }
        | Refused::UnknownHost { .. }
        | Refused::UnknownAgent { .. } => 3,
    }
}

#[cfg(test)]
mod tests;
