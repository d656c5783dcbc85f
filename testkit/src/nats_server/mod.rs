//! A private, real nats-server for one test.

mod binary;
mod server;

pub use server::NatsServer;
