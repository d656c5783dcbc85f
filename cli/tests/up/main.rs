//! `flotilla up` and `flotilla down`, the real binary with all its real parts:
//!
//! - `ready`: what it tells once all is up, on a path that shells and configuration languages stumble over;
//! - `life`: what is started again, what ends with it and what stays;
//! - `refusals`: what a person is told when it cannot start.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test a broken surrounding is a failure, and the helpers are part of the test"
)]

mod installation;

mod life;
mod ready;
mod refusals;
