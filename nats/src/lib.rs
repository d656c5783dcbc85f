//! The wire: every word that crosses NATS is defined here, once.
//!
//! Owns ids, subjects, messages, streams and credentials, and a typed client that speaks them.
//! Deliberately knows nothing of agents, worktrees, browsers or SQL.

pub mod ids;
pub mod timestamp;

pub mod subject;
pub mod wire;

pub mod envelope;
pub mod event;
pub mod header;

pub mod audit;
pub mod command;
pub mod enrolment;
pub mod live;
pub mod pace;
pub mod record;
pub mod renewal;
pub mod report;
pub mod revocation;

pub mod canonical;

pub mod seal;
pub mod signing;

pub mod stream;

pub mod client;

pub mod credentials;
pub mod server;

pub use client::Client;
pub use envelope::Envelope;
pub use event::Event;
pub use header::Header;
pub use timestamp::Timestamp;
pub use wire::Wire;
