//! The client verbs as a person or a script meets them: the real binary against a real fleet.
//!
//! - `auditing`: the audit taken out and proved;
//! - `signing_in`: where the token is kept, and what is said to those who have none;
//! - `working`: a session from its start to its end, its approvals and questions;
//! - `reading`: tables, JSON, and following along;
//! - `carrying`: a session as a file, out of one fleet and into another;
//! - `verifying`: a session's numbers, end to end;
//! - `whole_chain`: an installation, step by step.
#![expect(
    clippy::expect_used,
    reason = "a test that cannot set its scene says which part was missing"
)]

mod terminal;

mod auditing;
mod carrying;
mod reading;
mod signing_in;
mod verifying;
mod whole_chain;
mod working;
