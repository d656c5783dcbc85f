//! The configuration file: TOML, the same sections for every command that takes `--config`.
//!
//! Read whole at the start into types, with every problem told at once. Knows nothing of what the parts do with it.

mod section;
mod servers;

mod file;
mod minutes;
mod parts;

pub use file::{Configuration, Coordinator, Nats, Runner};
pub use parts::{LISTEN_DEFAULT, name_of_this_machine, this_program};
pub use servers::Servers;
