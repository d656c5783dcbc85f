//! Browsers on one side, NATS on the other.

pub mod api;

mod http;

mod audit;
mod auth;
mod dispatch;
mod enrolment;
mod hosts;
mod placement;
mod queue;

mod ingest;
mod live;
mod objects;
mod portable;
mod projection;
mod show;

mod reconcile;

mod verify;

mod chain;
mod configuration;
mod run;

pub use configuration::{Configuration, Listen};
pub use http::openapi;
pub use run::{Error, run};

use chain::chain;
