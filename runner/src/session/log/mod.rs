//! `session.db`: what a session was told, what it said, and where it stands, each step in one transaction.
//!
//! One writer, the session's task; the relay reads through a connection of its own.

mod error;
mod inspect;
mod reader;
mod retention;
mod schema;
mod writer;

#[cfg(test)]
mod tests;

pub use error::Error;
pub use inspect::{Inspected, Wanted, inspect};
pub use reader::Reader;
pub use retention::{Kept, Pruned};
pub use writer::{Identity, Log, Row, Saved};
