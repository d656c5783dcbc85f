//! Everything the agent started, also what left its process group (agents run shell commands in sessions of their own).
//! The shim is the reaper of its subtree: an orphan becomes its child instead of init's, so it can be found and ended.
//! Owns that; does not know the agent, whose status is for `spawn` to take.

use std::collections::{HashMap, HashSet};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

/// A command that forks while it is being killed is met again in the next round; one that wins this often may live.
const ROUNDS_MAX: usize = 16;

/// Makes orphans of this process's subtree its children.
pub(super) fn adopt() -> rustix::io::Result<()> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
}

/// Takes the status of every adopted child that has ended, and leaves the agent's to the one who waits for it.
pub(super) fn reap_adopted(agent: u32) {
    let own = rustix::process::getpid();
    for (pid, parent) in processes() {
        if parent == own && pid.as_raw_pid().unsigned_abs() != agent {
            // Still running, mostly; anything else is nothing to act on.
            rustix::process::waitid(
                WaitId::Pid(pid),
                WaitIdOptions::EXITED | WaitIdOptions::NOHANG,
            )
            .ok();
        }
    }
}

/// Ends whatever runs below this process.
pub(super) fn kill_all() {
    let mut told = HashSet::new();
    for _ in 0..ROUNDS_MAX {
        let found: Vec<Pid> = below(rustix::process::getpid())
            .into_iter()
            .filter(|&pid| told.insert(pid))
            .collect();
        if found.is_empty() {
            return;
        }
        for pid in found {
            // Gone in between is what was wanted.
            rustix::process::kill_process(pid, Signal::KILL).ok();
        }
    }
    tracing::warn!("processes of the agent kept forking while they were ended; some may be left");
}

fn below(ancestor: Pid) -> Vec<Pid> {
    let mut children: HashMap<Pid, Vec<Pid>> = HashMap::new();
    for (pid, parent) in processes() {
        children.entry(parent).or_default().push(pid);
    }
    let mut found = Vec::new();
    let mut open = vec![ancestor];
    while let Some(parent) = open.pop() {
        let children = children.remove(&parent).unwrap_or_default();
        found.extend(&children);
        open.extend(children);
    }
    found
}

/// Every process and its parent.
fn processes() -> impl Iterator<Item = (Pid, Pid)> {
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // "pid (name) state parent …", and a name may hold anything, parentheses too.
            let parent = stat
                .rsplit_once(')')?
                .1
                .split_whitespace()
                .nth(1)?
                .parse()
                .ok()?;
            Some((Pid::from_raw(pid)?, Pid::from_raw(parent)?))
        })
}
