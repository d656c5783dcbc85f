//! A process, named so that a later one under the same id is not taken for it.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// An id and the moment it was given out, in the kernel's ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pub pid: i32,
    started: u64,
}

impl Process {
    /// The process that has this id now.
    pub fn now(pid: i32) -> Option<Self> {
        let started = started(pid)?;
        Some(Self { pid, started })
    }

    /// Whether it still runs.
    pub fn is_alive(self) -> bool {
        started(self.pid) == Some(self.started)
    }

    /// Asks it to end. That it is gone already is as good.
    pub fn terminate(self) {
        if let Some(pid) = self.id() {
            kill_process(pid, Signal::TERM).ok();
        }
    }

    /// Ends it and all of its group, at once.
    pub fn kill_group(self) {
        if let Some(pid) = self.id() {
            kill_process_group(pid, Signal::KILL).ok();
            kill_process(pid, Signal::KILL).ok();
        }
    }

    /// Waits until it is gone, no longer than `bound`. Tells whether it is.
    pub async fn gone_within(self, bound: Duration) -> bool {
        let deadline = Instant::now() + bound;
        while self.is_alive() {
            if Instant::now() >= deadline {
                return false;
            }
            sleep(LOOK_EVERY).await;
        }
        true
    }

    fn id(self) -> Option<Pid> {
        Pid::from_raw(self.pid).filter(|_| self.is_alive())
    }
}

/// When the process with this id was started; none when there is none, or only its remains.
fn started(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything, spaces and parentheses included: read on from behind it.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    // The start is the 22nd field of all, and the state was the third.
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_process_that_was_killed_is_gone_even_before_it_is_reaped() {
        let mut child = std::process::Command::new("sleep")
            .arg("600")
            .spawn()
            .unwrap();
        let process = Process::now(child.id().try_into().unwrap()).unwrap();
        assert!(process.is_alive());
        process.terminate();
        assert!(process.gone_within(Duration::from_secs(10)).await);
        child.wait().unwrap();
    }

    #[test]
    fn another_process_under_the_same_id_is_not_the_same() {
        let own = i32::try_from(std::process::id()).unwrap();
        let mut earlier = Process::now(own).unwrap();
        earlier.started -= 1;
        assert!(!earlier.is_alive());
    }
}
