//! What a runner is told at its start.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use nats::ids::HostName;
use nats::seal::Commanders;

use crate::agent::AgentConfiguration;

/// Parsed and complete: defaults are filled in by whoever reads the file.
#[derive(Debug, Clone)]
pub struct Configuration {
    pub host: HostName,
    /// `DIR`: sessions, worktrees and the runner's own folder lie below it.
    pub data: PathBuf,
    /// `nats://…`
    pub nats_url: String,
    /// This host's `.creds` file; none only in tests.
    pub nats_credentials: Option<PathBuf>,
    /// Where a coordinator is asked for a new token, when NATS does not let this host in.
    pub coordinator: Option<String>,
    /// Whose commands are carried out.
    pub commanders: Commanders,
    /// Checkouts that sessions may start from.
    pub projects: Vec<PathBuf>,
    pub agents: BTreeMap<String, AgentConfiguration>,
    /// Sessions whose agent may run at once, from 1.
    pub slots: u32,
    /// An agent that had nothing to do for this long is stopped, and woken by the next command; none: never.
    pub sleep_after: Option<Duration>,
    /// A gate that waited for this long is told of again; none: never.
    pub remind_after: Option<Duration>,
    /// Sessions go on by themselves once a usage limit is over, unless a person says otherwise.
    pub resume_after_limit: bool,
    pub labels: BTreeMap<String, String>,
    /// The `flotilla` program, absolute: shims and the rehearsal agent are this.
    pub flotilla: PathBuf,
    /// The runner's environment, read once; agents get allow-listed names of it.
    pub environment: BTreeMap<String, String>,
}
