//! Browsers on one side, NATS on the other.

pub mod api;
