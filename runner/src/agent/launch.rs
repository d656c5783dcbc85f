//! What to start for a session's agent: program, arguments and exactly the environment it gets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nats::ids::SessionId;

use super::claude;
use super::configuration::{AgentConfiguration, Dialect};

/// What an adapter needs to know to say how its agent is started.
#[derive(Debug, Clone)]
pub struct LaunchRequest<'a> {
    pub session: SessionId,
    pub configuration: &'a AgentConfiguration,
    /// The program, resolved and absolute.
    pub program: &'a Path,
    pub worktree: &'a Path,
    /// HOME of the agent.
    pub home: &'a Path,
    /// The runner's own environment, from which only allow-listed names are taken.
    pub environment: &'a BTreeMap<String, String>,
}

/// How to start it. The environment is whole: nothing is inherited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    pub program: PathBuf,
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub cwd: PathBuf,
}

/// The agent that is always there: this program itself, with a word in front.
pub(super) const REHEARSAL: &str = "rehearsal";
pub(super) const REHEARSE: &str = "rehearse";

/// How to start the agent of this name. Looks at the disk, to resume a conversation that is already there.
#[must_use]
pub fn launch(dialect: Dialect, name: &str, request: &LaunchRequest<'_>) -> Launch {
    let mut launch = match dialect {
        Dialect::Claude => claude::launch(request),
    };
    if is_this_program(name, request.configuration) {
        launch.args.insert(0, REHEARSE.to_owned());
    }
    launch
}

/// Whether the agent is `flotilla rehearse` and not a program that somebody configured under that name.
pub(super) fn is_this_program(name: &str, configuration: &AgentConfiguration) -> bool {
    name == REHEARSAL && configuration.command.is_none()
}
