//! A second holder of the agent's stdin, for the one case in which the shim cannot act: when it is killed itself.
//!
//! The kernel closes a dying process's descriptors before it tells anyone of the death, so a parent-death signal alone
//! comes after the end of stdin, and a quick agent answers the end first (seen within twenty tries). The keeper is a
//! shell that waits for its line to the shim to end, kills the agent's group, and only then lets go of stdin.
//! It ends with the agent otherwise: it is a descendant like any other. Does not know why a shim died.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// The shell's stdout is the agent's stdin, which it never writes to.
const WAIT_THEN_KILL: &str = "read line; kill -s KILL -- \"-$1\"";

/// The shim's end of the line. Nothing is ever said on it; it ends with the shim.
pub(super) struct Keeper {
    _line: UnixStream,
}

impl Keeper {
    /// `stdin` is the shim's end of the agent's stdin, `group` the agent's process group.
    pub(super) fn start(stdin: impl AsFd, group: u32) -> io::Result<Self> {
        let (line, keepers_line) = UnixStream::pair()?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", WAIT_THEN_KILL, "flotilla-keeper", &group.to_string()]);
        command.env_clear().current_dir("/").process_group(0);
        command.stdin(OwnedFd::from(keepers_line));
        command
            .stdout(stdin.as_fd().try_clone_to_owned()?)
            .stderr(Stdio::null());
        command.spawn()?; // reaped as every other child of the shim's is
        Ok(Self { _line: line })
    }
}
