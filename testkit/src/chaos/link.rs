//! The network between a host and the middle of a fleet, which the kernel cuts: packets are lost on their way, and
//! neither side is told. Knows addresses, not what is said on the line.

use tokio::net::TcpListener;

use super::wire::Cut;
use crate::namespace::{Doorway, Keeper, Network};

/// Two namespaces and the line between them. Every fleet has its own, so all may use the same addresses.
pub(super) struct Link {
    middle: Keeper,
    host: Keeper,
    /// For the person, who lives in neither.
    pub door: std::net::SocketAddr,
    _doorway: Doorway,
}

/// Where nats-server listens.
pub(super) const MIDDLE: &str = "10.77.0.1";
const MIDDLE_WITH_MASK: &str = "10.77.0.1/30";
const HOST_WITH_MASK: &str = "10.77.0.2/30";

impl Link {
    pub(super) async fn new() -> Self {
        let (middle, host) = (Keeper::new().await, Keeper::new().await);
        middle
            .network
            .plug(MIDDLE_WITH_MASK, &host.network, HOST_WITH_MASK);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let door = listener.local_addr().expect("a bound address");
        let doorway = Doorway::open(listener, &middle.network);
        Self {
            middle,
            host,
            door,
            _doorway: doorway,
        }
    }

    /// Where nats-server and the coordinator live.
    pub(super) fn middle(&self) -> &Network {
        &self.middle.network
    }

    /// Where runner, shims and agents live.
    pub(super) fn host(&self) -> &Network {
        &self.host.network
    }

    /// From now on. Packets are dropped where they would arrive, so that whoever sends them is not told.
    pub(super) fn cut(&self, cut: Cut) {
        for (deaf, end) in [(cut.out, self.middle()), (cut.back, self.host())] {
            if deaf {
                end.deafen();
            } else {
                end.hear();
            }
        }
    }
}
