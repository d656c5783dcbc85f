//! What a coordinator is told when it starts.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use nats::seal::CommandPublicKey;
use tokio::sync::oneshot;

#[derive(Debug)]
pub struct Configuration {
    /// Where browsers connect.
    pub listen: Listen,
    /// The projection's file. Its folder is made; the file may be deleted at any time.
    pub data: PathBuf,
    /// The key that this coordinator signs the audit with; made if there is none, and to be kept.
    pub audit_key: PathBuf,
    /// The key that this coordinator seals commands with; made if there is none. Hosts are told its public half.
    pub command_key: PathBuf,
    /// The public keys of other coordinators, whose commands a host that joins takes as well.
    pub command_keys: Vec<CommandPublicKey>,
    /// The folder of the keys that let hosts in; none for a coordinator that cannot.
    pub authority: Option<PathBuf>,
    pub nats_url: String,
    /// Where hosts find NATS; `0.0.0.0` stands for the name under which they found this coordinator.
    pub nats_public_urls: Vec<String>,
    /// A `.creds` file; none for a server without authentication.
    pub nats_credentials: Option<PathBuf>,
    /// Copies that NATS keeps of everything: 1 on a lone server, 3 in a cluster.
    pub nats_replicas: usize,
    /// A file that holds the token of the setup link. It serves until there is a first person.
    pub setup_token: Option<PathBuf>,
    /// The address people use, when a proxy stands in between: `https://fleet.example.org`.
    pub public_url: Option<String>,
    /// Told the bound address as soon as requests are taken; `/readyz` says when they can be answered.
    pub ready: Option<oneshot::Sender<SocketAddr>>,
}

/// How a coordinator comes to its listening socket.
#[derive(Debug)]
pub enum Listen {
    /// Opens it itself; port 0 takes a free one.
    At(SocketAddr),
    /// Was handed it, by who keeps it open between one coordinator and the next. Must not block.
    On(TcpListener),
}

impl From<SocketAddr> for Listen {
    fn from(address: SocketAddr) -> Self {
        Self::At(address)
    }
}
