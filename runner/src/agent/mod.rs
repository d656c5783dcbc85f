//! Agents: the vendors' own command line programs, and what they say in house words.
//!
//! Owns the translation between one agent's dialect and [`AgentEvent`]. An adapter is pure: lines in, events
//! out, and the bytes to write back. It deliberately knows nothing of processes, NATS, sequence numbers or
//! gates' ids: it names an open request as the agent does, and the session machine ties that to a gate.

mod configuration;
mod discover;
mod launch;

mod ask_again;

mod adapter;
mod event;

pub mod claude;

pub use adapter::Adapter;
pub use ask_again::{AskAgainError, Unanswered, ask_again, can_ask_again, force_out};
pub use configuration::{AgentConfiguration, Dialect};
pub use discover::{Found, discover};
pub use event::{AgentEvent, Ask, FilesTouched, Input};
pub use launch::{Launch, LaunchRequest, launch};
