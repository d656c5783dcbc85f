//! `flotilla runner enrol`: makes this machine a host of a fleet, with the token that a person was given.
//!
//! Makes the key here, asks the coordinator to believe it, and writes what the runner needs. The key never leaves this
//! machine, and what comes back is held against the token before any of it is written.

mod arguments;
mod ask;
mod folder;
mod run;

pub use arguments::Arguments;
pub use run::run;
