//! The relay against a real nats-server that dies, fills up or forgets, and against its own death: each row once, in
//! order.

mod faults;

use std::path::Path;
use std::time::Duration;

use nats::client::{EventRow, From, Options};
use nats::command::{Order, SessionStart, SessionStop};
use nats::ids::{CommandId, EventId, SessionId};
use nats::{Envelope, Timestamp, Wire, stream, subject};
use testkit::nats_server::NatsServer;
use testkit::wait;

use super::*;
use crate::agent::{Adapter, Dialect};
use crate::session::log::{Log, Row, Saved};
use crate::session::machine::Machine;

const BOUND: Duration = Duration::from_secs(60);

/// A session's log, a relay that empties it, and the server it goes to.
struct Station {
    server: NatsServer,
    client: Client,
    identity: Identity,
    log: Log,
    saved: Saved,
    seq: u64,
    newest: watch::Sender<u64>,
    reached: watch::Receiver<Reached>,
    token: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Station {
    async fn start() -> Self {
        let server = NatsServer::start().await;
        let client = connect(&server).await;
        client.ensure(1).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity {
            session: SessionId::new(),
            host: "vps-1".parse().unwrap(),
            epoch: 1,
        };
        let start = SessionStart {
            project: "shop".into(),
            agent: "rehearsal".into(),
            title: "t".into(),
            base: None,
            prompt: None,
            prompt_id: None,
        };
        let order = Order {
            v: 1,
            id: CommandId::new(),
            session: identity.session,
            host: identity.host.clone(),
            epoch: 1,
            at: Timestamp::now(),
            by: None,
            body: Wire::Known(SessionStop {}.into()),
        };
        let saved = Saved {
            machine: Machine::new(start, None, false),
            adapter: Adapter::new(Dialect::Claude),
            blocks: Default::default(),
            position: 0,
            snapshot: None,
        };
        let log = create(folder.path(), &identity, &order, &saved);
        let (newest, _) = watch::channel(0);
        let (_, reached) = watch::channel(Reached::UpTo(0));
        let token = CancellationToken::new();
        let mut station = Self {
            server,
            client,
            identity,
            log,
            saved,
            seq: 0,
            newest,
            reached,
            token,
            _folder: folder,
        };
        station.start_relay();
        station
    }

    /// As a runner that has just started does it: from the log alone.
    fn start_relay(&mut self) {
        let (reached, seen) = watch::channel(Reached::UpTo(0));
        self.reached = seen;
        self.token = CancellationToken::new();
        let relay = Relay {
            client: self.client.clone(),
            identity: self.identity.clone(),
            reader: self.log.reader().unwrap(),
            objects: self._folder.path().join("objects"),
            newest: self.newest.subscribe(),
            reached,
        };
        tokio::spawn(relay.run(self.token.clone()));
    }

    fn append(&mut self, count: u64) {
        let rows: Vec<Row> = (1..=count)
            .map(|offset| self.row(self.seq + offset))
            .collect();
        self.append_rows(&rows);
    }

    fn append_rows(&mut self, rows: &[Row]) {
        tokio::task::block_in_place(|| self.log.append(rows, &self.saved, None)).unwrap();
        self.seq += rows.len() as u64;
        self.newest.send_replace(self.seq);
    }

    fn row(&self, seq: u64) -> Row {
        let body = envelope(&self.identity, self.identity.epoch, seq);
        Row {
            seq,
            event_type: "warning".into(),
            body: serde_json::to_vec(&body).unwrap(),
            object: None,
        }
    }

    async fn wait_reached(&self, wanted: Reached) {
        let reached = self.reached.clone();
        wait::until("the relay", BOUND, async || {
            let now = *reached.borrow();
            if now == wanted {
                Ok(())
            } else {
                Err(format!("{now:?}"))
            }
        })
        .await;
    }

    async fn stored(&self, count: u64) -> Vec<u64> {
        let mut follower =
            self.client
                .follow(stream::EVENTS, subject::ALL_EVENTS, From::Sequence(1));
        let mut seqs = Vec::new();
        while (seqs.len() as u64) < count {
            let message = tokio::time::timeout(BOUND, follower.recv())
                .await
                .unwrap()
                .unwrap();
            let envelope: Envelope = serde_json::from_slice(&message.payload).unwrap();
            seqs.push(envelope.seq);
            if message.pending == 0 {
                break;
            }
        }
        seqs
    }
}

pub(super) async fn connect(server: &NatsServer) -> Client {
    let options = Options {
        url: server.url(),
        credentials: None,
        name: "test".into(),
        inbox_prefix: "_INBOX_test".into(),
    };
    let client = Client::connect(options).await.unwrap();
    client.connected().await;
    client
}

fn create(folder: &Path, identity: &Identity, order: &Order, saved: &Saved) -> Log {
    Log::create(&folder.join("session.db"), identity, order, saved).unwrap()
}

fn envelope(identity: &Identity, epoch: u64, seq: u64) -> Envelope {
    Envelope {
        v: 1,
        id: EventId::new(),
        session: identity.session,
        host: identity.host.clone(),
        epoch,
        seq,
        at: Timestamp::now(),
        object: None,
        body: Wire::Known(
            nats::event::Warning {
                code: "test".into(),
                message: "m".into(),
                hint: None,
            }
            .into(),
        ),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_arrives_once_and_in_order_whatever_dies() {
    let mut station = Station::start().await;
    // Sizes on both sides of the border between singles and batches, and faults in between at odd moments.
    let sizes = [1, 3, 8, 9, 40, 200, 1, 500, 7, 120];
    for round in 0..60_u64 {
        station.append(sizes[round as usize % sizes.len()]);
        match round {
            7 | 23 | 41 => {
                station.server.kill();
                station.append(30);
                station.server.restart().await;
            }
            // The runner dies with whatever it had in flight.
            12 | 13 | 30 | 50 => {
                station.token.cancel();
                station.append(11);
                station.start_relay();
            }
            _ => tokio::task::yield_now().await,
        }
    }
    station.wait_reached(Reached::UpTo(station.seq)).await;
    let expected: Vec<u64> = (1..=station.seq).collect();
    assert_eq!(station.stored(station.seq).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_finds_a_successor_stops_and_says_so() {
    let mut station = Station::start().await;
    station.append(5);
    station.wait_reached(Reached::UpTo(5)).await;
    let last = station
        .client
        .last_event(&station.identity.host, station.identity.session)
        .await
        .unwrap()
        .unwrap();
    let body = serde_json::to_vec(&envelope(&station.identity, 2, 6)).unwrap();
    let successor = EventRow {
        epoch: 2,
        seq: 6,
        event_type: "warning".into(),
        body: body.into(),
    };
    let (stored, _, _) = station
        .client
        .publish_events(
            &station.identity.host,
            station.identity.session,
            last.stream_sequence,
            &[successor],
            false,
        )
        .await;
    assert_eq!(stored, 1);
    station.append(1);
    station.wait_reached(Reached::FormerOwner).await;
    assert_eq!(station.stored(10).await, [1, 2, 3, 4, 5, 6]);
}
