//! The agent as a process: started in a group of its own on three socketpairs, signalled as a group, tied to the shim.
//!
//! Socketpairs, not pipes: a pipe can be opened again through `/proc/<agent>/fd/0` by any command the agent runs as the
//! same user, and that command could then approve itself. Owns the process and its descriptors; does not know what is
//! read from them or who asks for a signal.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use tokio::net::UnixStream;

use super::descendants;
use super::keeper::Keeper;
use super::protocol::AgentSignal;
use super::spec::ShimSpec;

/// Our ends of the agent's stdio. Its stdin must not close before the agent is gone.
pub(super) struct Stdio {
    pub(super) stdin: UnixStream,
    pub(super) stdout: UnixStream,
    pub(super) stderr: UnixStream,
}

pub(super) struct Agent {
    process: Child,
    status: Option<ExitStatus>,
    _keeper: Keeper,
}

impl Agent {
    /// Must be called on the thread that lives as long as the shim: the kernel ties the agent to that very thread.
    pub(super) fn start(spec: &ShimSpec) -> io::Result<(Self, Stdio)> {
        let (stdin, agent_stdin) = pair()?;
        let (stdout, agent_stdout) = pair()?;
        let (stderr, agent_stderr) = pair()?;
        let mut command = Command::new(&spec.program);
        command
            .args(&spec.args)
            .env_clear()
            .envs(&spec.env)
            .current_dir(&spec.cwd)
            .process_group(0);
        command
            .stdin(agent_stdin)
            .stdout(agent_stdout)
            .stderr(agent_stderr);
        die_with_this_thread(&mut command);
        let mut process = command.spawn()?;
        drop(command); // and with it our copies of the agent's ends: else its output would never end
        match Keeper::start(&stdin, process.id()) {
            Ok(keeper) => {
                let agent = Self {
                    process,
                    status: None,
                    _keeper: keeper,
                };
                Ok((
                    agent,
                    Stdio {
                        stdin,
                        stdout,
                        stderr,
                    },
                ))
            }
            Err(error) => {
                process.kill()?; // before its stdin closes
                process.wait()?;
                Err(error)
            }
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// `None` while it runs.
    pub(super) fn status(&self) -> Option<ExitStatus> {
        self.status
    }

    /// Asked after every SIGCHLD: takes the status of an agent that has just ended. `true` once.
    pub(super) fn has_just_ended(&mut self) -> io::Result<bool> {
        if self.status.is_some() || !self.waits_to_be_reaped()? {
            return Ok(false);
        }
        // What the agent left behind is ended before its status is taken: until then its group's number cannot
        // belong to anybody else.
        self.signal_group(Signal::KILL);
        self.status = Some(self.process.wait()?);
        descendants::kill_all();
        Ok(true)
    }

    fn waits_to_be_reaped(&self) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(
            rustix::process::waitid(WaitId::Pid(Pid::from_child(&self.process)), options)?
                .is_some(),
        )
    }

    pub(super) fn signal(&self, signal: AgentSignal) {
        self.signal_group(match signal {
            AgentSignal::Interrupt => Signal::INT,
            AgentSignal::Terminate => Signal::TERM,
            AgentSignal::Kill => Signal::KILL,
        });
    }

    fn signal_group(&self, signal: Signal) {
        if self.status.is_some() {
            return;
        }
        // The group is there until then; whatever else the kernel may say, there is nothing to do about it.
        if let Err(error) =
            rustix::process::kill_process_group(Pid::from_child(&self.process), signal)
        {
            tracing::warn!(agent.pid = self.pid(), ?signal, %error, "could not signal the agent's process group");
        }
    }
}

/// The exit code and the signal, of which a status has exactly one.
pub(super) fn code_and_signal(status: ExitStatus) -> (Option<i32>, Option<i32>) {
    (status.code(), status.signal())
}

/// Our end, ready for the runtime, and the agent's.
fn pair() -> io::Result<(UnixStream, std::process::Stdio)> {
    let (ours, agents) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, OwnedFd::from(agents).into()))
}

/// A shim that dies takes the agent with it. Otherwise the agent would read the end of its stdin, take it for a denial
/// of whatever it had asked, and go on. The keeper does the same; this is sooner, and there when the keeper is not.
#[expect(
    unsafe_code,
    reason = "the parent-death signal can only be set between fork and exec, by the child itself"
)]
fn die_with_this_thread(command: &mut Command) {
    let shim = rustix::process::getpid();
    let tie = move || {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        // A shim that died before the line above can send no signal any more.
        if rustix::process::getppid() == Some(shim) {
            Ok(())
        } else {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    };
    // SAFETY: runs in the forked child; makes two system calls and neither allocates nor takes a lock.
    unsafe {
        command.pre_exec(tie);
    }
}
