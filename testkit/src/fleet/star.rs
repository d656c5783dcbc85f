//! A fleet whose hosts each live in a network of their own, with one line to the middle and none to each other.

use tokio::net::TcpListener;

use super::installation::{Fleet, Options};
use crate::namespace::{Doorway, Keeper, Network};

/// Where nats-server listens, in the middle.
const MIDDLE: &str = "10.78.0.1";

/// The middle, and the hosts around it.
pub struct Star {
    middle: Keeper,
    hosts: Vec<Keeper>,
    _doorway: Doorway,
}

impl Star {
    /// Starts nats-server and a coordinator in the middle. Hosts join later, by [`Star::host`].
    pub async fn start() -> (Fleet, Self) {
        if let Some(obstacle) = Network::obstacle() {
            panic!("networks of our own are needed here: {obstacle}");
        }
        let middle = Keeper::new().await;
        let address = format!("{MIDDLE}/32");
        middle
            .network
            .run(&["ip", "address", "add", &address, "dev", "lo"]);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let door = listener.local_addr().expect("a bound address");
        let doorway = Doorway::open(listener, &middle.network);
        let fleet = Fleet::start(Options {
            agents: format!("nats.listen = \"{MIDDLE}:0\"\nrunner.enabled = false\n"),
            listen: Some(door),
            network: Some(middle.network.clone()),
            ..Options::default()
        })
        .await;
        let star = Self {
            middle,
            hosts: Vec::new(),
            _doorway: doorway,
        };
        (fleet, star)
    }

    /// A network for one more host, from which it reaches the middle alone.
    pub async fn host(&mut self) -> Network {
        let host = Keeper::new().await;
        let number = self.hosts.len() + 1;
        let (near, far) = (format!("10.78.{number}.1"), format!("10.78.{number}.2"));
        self.middle.network.plug_into(
            &format!("eth{number}"),
            &format!("{near}/30"),
            &host.network,
            &format!("{far}/30"),
        );
        host.network
            .run(&["ip", "route", "add", MIDDLE, "via", &near]);
        let network = host.network.clone();
        self.hosts.push(host);
        network
    }
}
