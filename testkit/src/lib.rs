//! What the tests of every part stand on: real parts, private to one test, ended with it.
//!
//! Owns no behaviour of Flotilla, and knows no other crate of it. Everything here fails by
//! panicking with a sentence on what was seen and what to do about it: a missing part of the
//! surroundings is a failed test, never a skipped one.
#![expect(
    clippy::expect_used,
    reason = "in a test kit a broken surrounding is a failed test, and the message is for its reader"
)]

pub mod wait;

pub mod child;
pub mod namespace;
pub mod port;
mod processes;
pub mod stamp;

pub mod nats_server;
pub mod repository;

pub mod bench;
pub mod chaos;
pub mod claude;
pub mod fleet;
pub mod flotilla;
pub mod model_endpoint;
