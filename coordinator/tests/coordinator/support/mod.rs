//! A fleet of one nats-server, coordinators and played hosts.

mod events;
mod fleet;
mod host;
mod orders;
mod person;
mod stream;
mod tab;

use std::time::Duration;

pub use events::{carried_out, gate_opened, said, state};
pub use fleet::{Coordinator, Fleet, running, wait_for_seq};
pub use host::Host;
pub use orders::{decided, is, next_command};
pub use person::{Person, cookie};
pub use stream::Stream;
pub use tab::{Tab, seqs};

pub const BOUND: Duration = Duration::from_secs(60);
pub const SETUP_TOKEN: &str = "a setup token of a test";
pub const PASSWORD: &str = "correct horse battery";
