//! The daemon of one host: it holds sessions, runs agents under shims, and speaks to NATS for its host alone.
//!
//! In reading order: a command arrives (`inbox`), finds its session (`sessions`), is decided on by a pure machine
//! and recorded (`session`), reaches an agent (`agent`, `shim`) in a worktree (`worktree`), and what the agent says
//! leaves by the `relay`. It never imports the coordinator, and knows browsers only as the people behind decisions.

#[cfg(feature = "wip")]
mod inbox;
#[cfg(feature = "wip")]
mod sessions;

#[cfg(feature = "wip")]
pub mod session;

pub mod agent;
pub mod rehearsal;
pub mod shim;
#[cfg(feature = "wip")]
pub mod worktree;

#[cfg(feature = "wip")]
pub mod relay;

#[cfg(feature = "wip")]
mod configuration;
#[cfg(feature = "wip")]
mod host;
#[cfg(feature = "wip")]
mod inventory;
#[cfg(feature = "wip")]
mod presence;
#[cfg(feature = "wip")]
mod run;

#[cfg(feature = "wip")]
pub use configuration::Configuration;
#[cfg(feature = "wip")]
pub use run::{Error, run};

/// An error with its causes, once each, for a log line.
#[cfg(feature = "wip")]
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
