//! A private, real nats-server for one test, or three that are a cluster.

mod binary;
mod cluster;
mod server;

pub use binary::path as binary;
pub use cluster::NatsCluster;
pub use server::NatsServer;
