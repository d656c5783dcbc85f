//! From NATS into the projection, and on to those who watch.
//!
//! Owns the one shared consumer of events, the one of audit records and the watch of session records. Batches form
//! by what has accumulated, never by waiting. Deliberately knows nothing of what an event means.

mod ends;
mod progress;
mod reach;
mod reading;
mod run;
mod sources;

pub use progress::{Gauges, Progress};
pub use reach::{Reach, Reached};
pub use run::{Ingest, run, status};
pub use sources::Sources;
