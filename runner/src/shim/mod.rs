//! The small process that holds one agent's stdio and outlives the runner.
//!
//! `spec` says what to start, `launch` starts a shim from the runner, `serve` is what the shim then does; `client` is the
//! runner's end of the socket and `lines` turns what comes out of it into lines. The rest are the parts of `serve`.
//! It knows bytes and their positions; what an agent's line means is never its concern.

mod spec;

mod client;
mod launch;
mod lines;

mod protocol;
mod socket;

mod backlog;
mod connection;
mod deadlines;
mod descendants;
mod inputs;
mod keeper;
mod output;
mod serve;
mod spawn;

pub use client::{Error as ClientError, ShimClient, ShimFrames, ShimHandle, end, is_alive, probe};
pub use launch::{Error as LaunchError, launch};
pub use lines::{Line, LineSplitter, LineTooLong};
pub use protocol::{AgentSignal, Exit, FromShim, Hello, Undecodable};
pub use serve::{Error, run};
pub use spec::{Error as SpecError, ShimOptions, ShimSpec};
