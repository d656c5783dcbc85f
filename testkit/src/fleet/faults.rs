//! What befalls an installation: parts that are killed, and a stop with something changed before the next start.

use std::path::Path;
use std::process::Child;

use rustix::process::{Pid, Signal};

use super::installation::{Fleet, UP_BOUND, spawn_up};
use crate::wait;

/// A part that stays dead until this is dropped.
pub struct HeldDown {
    up: Pid,
}

impl HeldDown {
    /// Lets `up` replace it.
    pub fn release(self) {}
}

impl Drop for HeldDown {
    fn drop(&mut self) {
        // It may have been ended meanwhile, by a test that failed.
        rustix::process::kill_process(self.up, Signal::CONT).ok();
    }
}

impl Fleet {
    /// Kills one of `nats`, `coordinator`, `runner` with SIGKILL, and stops `up` so that it is not replaced. Whoever connects
    /// to it afterwards does not meet the one that dies.
    pub async fn hold_down(&self, part: &str) -> HeldDown {
        let up = Pid::from_child(&self.up());
        rustix::process::kill_process(up, Signal::STOP).expect("`up` is there");
        let held = HeldDown { up };
        let pid = self.ready()["pids"][part]
            .as_i64()
            .expect("the ready file names the pid");
        kill_process(pid);
        // Its remains stay: who should bury it is stopped.
        wait::until(&format!("the end of the {part}"), UP_BOUND, async || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))
                .map_err(|error| error.to_string())?;
            let state = stat
                .rsplit_once(") ")
                .and_then(|(_, rest)| rest.chars().next());
            (state == Some('Z')).then_some(()).ok_or(stat)
        })
        .await;
        held
    }

    /// Kills one of `nats`, `coordinator`, `runner` with SIGKILL and waits until `up` has replaced it.
    pub async fn kill(&self, part: &str) {
        let before = self.ready()["pids"][part]
            .as_i64()
            .expect("the ready file names the pid");
        kill_process(before);
        wait::until(&format!("another {part}"), UP_BOUND, async || {
            let now = self.ready()["pids"][part].as_i64();
            if now.is_some_and(|now| now != before) {
                Ok(())
            } else {
                Err(format!("{now:?}"))
            }
        })
        .await;
        self.wait_serving().await;
    }

    /// Ends everything but the agents, lets `meanwhile` look at the data folder, and starts it again.
    pub async fn restart(&mut self, meanwhile: impl FnOnce(&Path)) {
        terminate(&self.up());
        self.wait_ended().await;
        meanwhile(&self.data());
        let (up, ready) = spawn_up(self.folder.path(), &self.options).await;
        *self.up() = up;
        self.ready = ready;
        self.wait_serving().await;
    }

    /// The process id of `flotilla up`.
    pub fn up_pid(&self) -> i32 {
        i32::try_from(self.up().id()).expect("a process id")
    }

    /// Starts `flotilla up` again after it was killed. The ports are kept, so it is where it was.
    pub async fn raise(&self) {
        self.wait_ended().await;
        let (up, _) = spawn_up(self.folder.path(), &self.options).await;
        *self.up() = up;
        self.wait_serving().await;
    }

    async fn wait_ended(&self) {
        wait::until("`flotilla up` to end", UP_BOUND, async || {
            match self.up().try_wait() {
                Ok(Some(_)) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }

    pub(crate) async fn wait_serving(&self) {
        wait::until("the coordinator to be ready", UP_BOUND, async || {
            self.try_get("/readyz").await.map(|_| ())
        })
        .await;
    }
}

fn kill_process(pid: i64) {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .expect("a process id");
    rustix::process::kill_process(pid, Signal::KILL).expect("the process is there");
}

fn terminate(child: &Child) {
    let pid = i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .expect("a process id");
    rustix::process::kill_process(pid, Signal::TERM).expect("the process is there");
}
