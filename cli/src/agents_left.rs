//! The shims of this installation that still hold an agent.
//!
//! They are found by their sockets, in the folders of their sessions: whoever answers there is one of ours.

use std::path::{Path, PathBuf};
use std::time::Duration;

use runner::shim;
use tokio::time::{Instant, sleep};

use crate::data::DataFolder;
use crate::up::process::Process;

/// A shim gives its agent time to end; after that it is killed with its whole group.
const GRACE: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// One shim that answered.
#[derive(Debug, Clone)]
pub struct Shim {
    socket: PathBuf,
    process: Option<Process>,
    agent_group: Option<Process>,
    /// Its agent is at work, not only remembered.
    pub agent_runs: bool,
}

/// Every shim that answers.
pub async fn shims(data: &DataFolder) -> Vec<Shim> {
    let mut found = Vec::new();
    for socket in sockets(&data.sessions()) {
        if let Ok(hello) = shim::probe(&socket).await {
            found.push(Shim {
                socket,
                process: process(hello.shim_pid),
                agent_group: process(hello.agent_pid),
                agent_runs: !hello.exited,
            });
        }
    }
    found
}

/// Ends shims and their agents.
pub async fn end(shims: &[Shim]) {
    for shim in shims {
        if let Some(process) = shim.process {
            process.terminate();
        }
    }
    let deadline = Instant::now() + GRACE;
    for shim in shims {
        while Instant::now() < deadline && shim::is_alive(&shim.socket).await {
            sleep(LOOK_EVERY).await;
        }
        for process in [shim.agent_group, shim.process].into_iter().flatten() {
            process.kill_group();
        }
    }
}

fn process(pid: u32) -> Option<Process> {
    i32::try_from(pid).ok().and_then(Process::now)
}

/// `sessions/<id>/shim-<generation>/socket`, as the runner lays them out.
fn sockets(sessions: &Path) -> Vec<PathBuf> {
    entries(sessions)
        .flat_map(|session| entries(&session))
        .map(|shim| shim.join("socket"))
        .filter(|socket| socket.exists())
        .collect()
}

/// What is in a folder; nothing when it is not there.
fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
}
