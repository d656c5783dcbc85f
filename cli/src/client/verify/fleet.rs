//! What must be so before any host is looked at: somebody answers, knows us, and knows of hosts.

use nats::record::ProjectReport;

use super::report::{Passed, passed};
use crate::client::exit::Error;
use crate::client::server::Server;
use crate::client::view::{HostState, HostView};
use crate::client::visible::one_line;

/// The agent that needs no account.
pub(super) const AGENT: &str = "rehearsal";

/// A host that is to be gone through.
pub(super) struct Host {
    pub name: String,
    /// One that it has checked out, and that a session can start in.
    project: Option<ProjectReport>,
    rehearses: bool,
}

pub(super) async fn reach(server: &Server) -> Passed<()> {
    let health = server.get(&["healthz"], &[]).await?;
    let version = health["version"].as_str().unwrap_or("an unknown version");
    server.get(&["readyz"], &[]).await.map_err(|error| match error {
        // Its answer to "are you ready" is not an error in the words of an API.
        Error::NotFlotilla { .. } => Error::unproven(
            "the coordinator answers, and is not ready: it is not connected to NATS, or still reads what was stored",
            "its log says which; a moment later it may be over",
        ),
        error => error,
    })?;
    passed((), format!("coordinator {}, ready", one_line(version)))
}

pub(super) async fn sign_in(server: &Server) -> Passed<()> {
    let me = server.get(&["api", "auth", "me"], &[]).await?;
    let name = me["name"].as_str().unwrap_or("somebody");
    passed((), format!("as {}", one_line(name)))
}

/// Those that are named, or all.
pub(super) async fn hosts(server: &Server, named: &[String]) -> Passed<Vec<Host>> {
    let mut known: Vec<HostView> = Vec::new();
    for row in server.list(&["api", "hosts"], &[]).await? {
        known.push(server.view(&row)?);
    }
    if let Some(missing) = named
        .iter()
        .find(|name| known.iter().all(|it| it.host != **name))
    {
        return Err(Error::unproven(
            format!("no host `{missing}` has ever reported"),
            "`flotilla host ls` lists those that have",
        ));
    }
    known.retain(|host| named.is_empty() || named.contains(&host.host));
    if known.is_empty() {
        return Err(Error::unproven(
            "no host has reported yet",
            "`flotilla up` makes this machine one; a runner says in its log why it cannot connect",
        ));
    }
    if let Some(silent) = known.iter().find(|host| !host.state.is(&HostState::Online)) {
        return Err(Error::unproven(
            format!("{} is silent", one_line(&silent.host)),
            "is its runner up? --host NAME goes through others alone",
        ));
    }
    let names: Vec<String> = known.iter().map(|host| one_line(&host.host)).collect();
    let hosts = known.into_iter().map(|host| Host {
        rehearses: host
            .agents
            .iter()
            .any(|agent| agent.name == AGENT && agent.available),
        project: host
            .projects
            .into_iter()
            .find(|project| project.problem.is_none()),
        name: host.host,
    });
    passed(hosts.collect(), format!("{} online", names.join(", ")))
}

impl Host {
    /// Where a session can be tried. Any project will do: a session never writes to a person's checkout.
    pub(super) async fn project(&self) -> Passed<String> {
        if !self.rehearses {
            return Err(Error::unproven(
                "the host does not offer the rehearsal agent",
                "it is part of every runner; its configuration may have switched it off",
            ));
        }
        let project = self.project.as_ref().ok_or_else(|| {
            Error::unproven(
                "the host has no project that a session could start in",
                "a repository with one commit will do; `flotilla host ls` shows what a host has",
            )
        })?;
        passed(project.id.clone(), one_line(&project.name))
    }
}
