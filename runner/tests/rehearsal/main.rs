//! The rehearsal agent as its runner meets it: a real process, driven over stdin and stdout.
#![expect(
    clippy::expect_used,
    reason = "a test that cannot set its scene says which part was missing"
)]

mod process;

mod adapter;
mod interrupts;
mod permissions;
mod resuming;
mod talking;
