//! The machines: what their runners report, and which of them are heard of.
//!
//! Owns the reports and heartbeats in memory, and the judgement "silent". Deliberately knows nothing of sessions:
//! who is lost because a host is silent follows where sessions are shown.

mod follow;
mod liveness;
mod view;

pub use follow::follow;
pub use view::{Host, Hosts, View};
