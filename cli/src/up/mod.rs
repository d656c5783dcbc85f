//! `flotilla up`: everything on this machine, started in order and kept running.
//!
//! Prepares the data folder, then supervises nats-server, coordinator and runner. Agents and their shims are the
//! runner's: they stay when this ends. Knows nothing of what the parts say to each other.

mod arguments;

pub mod lock;
pub mod process;

pub mod leftovers;

mod demo;
pub mod installation;
mod preparation;
mod setup_token;

mod part;
mod readiness;
mod supervisor;

mod announcement;
mod run;

pub use arguments::Arguments;
pub use preparation::projects_or_demo;
pub use run::run;
