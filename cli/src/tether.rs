//! A program that ends when the process that started it ends, however that ends.
//!
//! The wish is the kernel's to keep, and it survives becoming another program: this process makes it, looks whether its
//! parent is still there, and becomes the program. The kernel looks at the *thread* that started the child, so whoever
//! starts one must do it from a thread that lives to its end.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

use crate::failure::{Failure, Kind};
use crate::listener;

/// What a tethered program is started with.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The process to end with.
    #[arg(long)]
    parent: i32,
    /// Stdin is a listening socket, and meant for the program.
    #[arg(long)]
    listener: bool,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    program: Vec<OsString>,
}

/// Becomes the program. Only comes back when that failed.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    set_parent_process_death_signal(Some(Signal::TERM))
        .map_err(|error| Failure::because("the kernel does not tie processes together", &error))?;
    // The parent may have ended before the wish was made; then nobody is left to end with.
    if getppid() != Pid::from_raw(arguments.parent) {
        return Err(Failure::new(
            Kind::Failed,
            "the process that started this one is gone",
        ));
    }
    let mut words = arguments.program.into_iter();
    let Some(program) = words.next() else {
        return Err(Failure::new(Kind::Configuration, "no program is named"));
    };
    let mut command = Command::new(&program);
    command.args(words);
    let error = if arguments.listener {
        listener::hand_on_stdin(&mut command)
    } else {
        command.exec()
    };
    Err(Failure::because(
        format!("could not start `{}`", program.display()),
        &error,
    ))
}
