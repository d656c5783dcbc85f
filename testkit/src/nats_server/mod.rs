//! A private, real nats-server for one test.

mod binary;
mod server;

pub use binary::path as binary;
pub use server::NatsServer;
