//! What a session needs, read against what the fleet knows: a name that nobody knows is a mistake, and not a wait.

use std::collections::{BTreeMap, BTreeSet};

use nats::ids::HostName;

use crate::hosts::View;

/// What a session needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The project's id.
    pub project: String,
    pub agent: String,
    /// Only there.
    pub only_on: Option<HostName>,
    /// Labels that its host must bear.
    pub host_labels: BTreeMap<String, String>,
}

/// Why a session cannot start, now or later.
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
}

/// Reads what was asked: `project` by id, or by name where only one has it.
pub fn resolve(
    project: &str,
    agent: &str,
    host: Option<&str>,
    host_labels: BTreeMap<String, String>,
    view: &View,
) -> Result<Wanted, Refused> {
    let project = known_project(project, view)?;
    known_agent(agent, view)?;
    let only_on = host.map(|asked| known_host(asked, view)).transpose()?;
    Ok(Wanted {
        project,
        agent: agent.to_owned(),
        only_on,
        host_labels,
    })
}

fn known_project(asked: &str, view: &View) -> Result<String, Refused> {
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

fn known_host(asked: &str, view: &View) -> Result<HostName, Refused> {
    let mut names = view.hosts.keys();
    names
        .find(|name| name.as_str() == asked)
        .cloned()
        .ok_or_else(|| Refused::UnknownHost {
            asked: asked.to_owned(),
            known: view.hosts.keys().map(ToString::to_string).collect(),
        })
}

fn project_names(view: &View) -> Vec<String> {
    let names: BTreeSet<&str> = view
        .projects_of_all()
        .map(|(_, project)| project.name.as_str())
        .collect();
    names.iter().map(ToString::to_string).collect()
}
