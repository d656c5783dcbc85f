//! The client verbs as a person or a script meets them: the real binary against a real fleet.
//!
//! - `signing_in`: where the token is kept, and what is said to those who have none;
//! - `working`: a session from its start to its end, its approvals and questions;
//! - `reading`: tables, JSON, and following along.
//! - `verifying`: the whole chain, step by step.
#![expect(
    clippy::expect_used,
    reason = "a test that cannot set its scene says which part was missing"
)]

mod terminal;

mod reading;
mod signing_in;
mod verifying;
mod working;
