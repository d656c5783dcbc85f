//! The daemon of one host: it holds sessions, runs agents under shims, and speaks to NATS for its host alone.
//!
//! In reading order: a command arrives (`inbox`), finds its session (`sessions`), is decided on by a pure machine
//! and recorded (`session`), reaches an agent (`agent`, `shim`) in a worktree (`worktree`), and what the agent says
//! leaves by the `relay`. It never imports the coordinator, and knows browsers only as the people behind decisions.

mod inbox;
mod sessions;

pub mod session;

pub mod agent;
pub mod rehearsal;
pub mod shim;
pub mod worktree;

pub mod relay;

mod configuration;
mod disk;
mod durable;
mod host;
mod inventory;
mod presence;
mod renewal;
mod retention;
mod run;
mod slots;

pub use configuration::Configuration;
pub use run::{Error, run};
pub use slots::default_slots;

/// An error with its causes, once each, for a log line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
