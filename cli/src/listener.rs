//! A listening socket that one process opens and another accepts on, by the convention of systemd: descriptor 3, with
//! `LISTEN_FDS` and `LISTEN_PID` in the environment.
//!
//! Who opened it keeps it while the other is away, so connections wait in its backlog and none is refused. Owns the
//! convention, both sides of it; does not know what is said on the connections.

use std::io;
use std::mem::ManuallyDrop;
use std::net::TcpListener;
use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::sockopt::socket_acceptconn;

use crate::failure::{Failure, Kind};

const DESCRIPTORS: &str = "LISTEN_FDS";
const PROCESS: &str = "LISTEN_PID";
/// Where the convention puts the first socket.
const FIRST: RawFd = 3;

/// The socket that this process was started with, if it was started with one.
pub fn handed_over() -> Result<Option<TcpListener>, Failure> {
    let variable = |name: &str| std::env::var(name).ok()?.parse::<u32>().ok();
    // Meant for somebody else: a variable is inherited further than the socket.
    if variable(PROCESS) != Some(std::process::id()) {
        return Ok(None);
    }
    match variable(DESCRIPTORS) {
        None | Some(0) => Ok(None),
        Some(1) => take(FIRST).map(Some).map_err(|error| {
            let what = format!("{DESCRIPTORS} promises a listening socket as descriptor {FIRST}");
            Failure::because(what, &error)
        }),
        Some(several) => Err(Failure::new(
            Kind::Configuration,
            format!("{several} sockets were handed over, and a coordinator listens on one"),
        )
        .hint("give the socket unit a single ListenStream")),
    }
}

/// Becomes the program, which finds this process's stdin as its listening socket. Comes back only when that failed.
///
/// The socket arrives as stdin because that is the one way to give a child a descriptor without a hand in its start.
pub fn hand_on_stdin(command: &mut Command) -> io::Error {
    if let Err(error) = stdin_as(FIRST) {
        return error;
    }
    command
        .stdin(Stdio::null())
        .env(DESCRIPTORS, "1")
        .env(PROCESS, std::process::id().to_string())
        .exec()
}

#[expect(
    unsafe_code,
    reason = "the convention names the descriptor by its number, and only its reader can claim it"
)]
fn take(descriptor: RawFd) -> io::Result<TcpListener> {
    // SAFETY: called once, by the one who was told that this descriptor is theirs. One that is none is let go of below
    // without being closed.
    let claimed = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(descriptor) });
    if !socket_acceptconn(&*claimed)? {
        return Err(io::Error::other("it is a socket that does not listen"));
    }
    // Agents and other children have no use for it.
    fcntl_setfd(&*claimed, FdFlags::CLOEXEC)?;
    let listener = TcpListener::from(ManuallyDrop::into_inner(claimed));
    listener.set_nonblocking(true)?;
    // One of another family has no address that we could tell.
    listener.local_addr()?;
    Ok(listener)
}

#[expect(
    unsafe_code,
    reason = "the convention names the descriptor by its number, whatever was inherited under it"
)]
fn stdin_as(descriptor: RawFd) -> io::Result<()> {
    // SAFETY: this process is about to become another program and uses nothing that it may have opened under this
    // number; the value is never dropped, so it closes nothing.
    let mut place = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(descriptor) });
    // The copy outlives exec: only the original would be closed.
    rustix::io::dup2(rustix::stdio::stdin(), &mut place)?;
    Ok(())
}
