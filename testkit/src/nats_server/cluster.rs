//! Three nats-servers that are one cluster, of which any may be killed and started again.

use std::time::Duration;

use async_nats::jetstream;

use super::NatsServer;
use crate::{port, wait};

/// A leader is chosen within ten seconds; three servers on a busy machine take longer.
const BOUND: Duration = Duration::from_secs(90);
const NODES: usize = 3;

/// Dropping it kills the servers and removes their stores.
pub struct NatsCluster {
    nodes: Vec<NatsServer>,
}

impl NatsCluster {
    /// Starts all, with `extra_config` in each one's configuration. They are one once a client can use JetStream:
    /// [`Self::settled`] waits for that.
    pub async fn start(extra_config: &str) -> Self {
        let ports: Vec<u16> = (0..NODES).map(|_| port::unused()).collect();
        let routes: Vec<String> = ports
            .iter()
            .map(|port| format!("nats://127.0.0.1:{port}"))
            .collect();
        let starts = ports.iter().enumerate().map(|(node, port)| {
            let config = format!(
                "server_name: {name}\n\
                 cluster {{ name: testkit, listen: \"127.0.0.1:{port}\", routes: [{routes}] }}\n\
                 {extra_config}",
                name = name(node),
                routes = routes.join(", "),
            );
            async move { NatsServer::start_with(&config).await }
        });
        Self {
            nodes: futures::future::join_all(starts).await,
        }
    }

    /// Where clients find each node.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(NatsServer::url).collect()
    }

    /// Waits until JetStream answers.
    pub async fn settled(&self, jetstream: &jetstream::Context) {
        wait::until("the cluster to have a leader", BOUND, async || {
            let account = jetstream.query_account().await;
            account.map(|_| ()).map_err(|error| self.said(&error))
        })
        .await;
    }

    /// The node that leads a stream, once there is one.
    pub async fn leader_of(&self, jetstream: &jetstream::Context, stream: &str) -> usize {
        wait::until(&format!("a leader of {stream}"), BOUND, async || {
            let found = jetstream.get_stream(stream).await;
            let found = found.map_err(|error| self.said(&error))?;
            let cluster = found.cached_info().cluster.clone();
            let leader = cluster.and_then(|cluster| cluster.leader);
            let node = (0..NODES).find(|node| leader.as_deref() == Some(name(*node).as_str()));
            node.ok_or_else(|| format!("{leader:?}"))
        })
        .await
    }

    /// Waits until every node holds all of a stream.
    pub async fn whole(&self, jetstream: &jetstream::Context, stream: &str) {
        wait::until(&format!("every copy of {stream}"), BOUND, async || {
            let found = jetstream.get_stream(stream).await;
            let found = found.map_err(|error| self.said(&error))?;
            let cluster = found.cached_info().cluster.clone();
            let copies = cluster.map(|it| it.replicas).unwrap_or_default();
            let current = copies.iter().filter(|it| it.current && !it.offline).count();
            if current + 1 == NODES {
                Ok(())
            } else {
                Err(format!("{copies:?}"))
            }
        })
        .await;
    }

    /// SIGKILL.
    pub fn kill(&mut self, node: usize) {
        self.nodes[node].kill();
    }

    /// Starts a node again, on its store and port.
    pub async fn restart(&mut self, node: usize) {
        self.nodes[node].restart().await;
    }

    fn said(&self, error: &dyn std::fmt::Display) -> String {
        let logs: Vec<String> = self.nodes.iter().map(NatsServer::log_tail).collect();
        format!("{error}; the servers said:\n{}", logs.join("\n--\n"))
    }
}

fn name(node: usize) -> String {
    format!("node-{node}")
}
