//! Routes: what a request asks, checked and answered. One file a resource; `router` is the whole list.
//!
//! Owns statuses, cookies and headers. A handler is extractors → check → one question or one command → typed
//! answer. Deliberately knows neither SQL nor subjects.

mod router;

mod app;
mod body;
mod caller;
mod error;
mod guard;

mod account;
mod agents;
mod attachments;
mod audit;
mod controls;
mod decision;
mod diff;
mod drains;
mod enrolments;
mod events;
mod gates;
mod health;
mod hosts;
mod messages;
mod portable;
mod projects;
mod renewals;
mod sessions;
mod socket;
mod tokens;
mod trace;
mod verify;

mod assets;
pub mod openapi;

pub use app::App;
pub use router::router;
