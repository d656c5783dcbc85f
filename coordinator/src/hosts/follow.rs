//! Follows reports and heartbeats, and makes ready what a new host needs in JetStream.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use nats::Timestamp;
use nats::client::{Change, Client};
use nats::ids::HostName;
use nats::record::{DrainRecord, HostRecord, Presence};
use nats::revocation::{Revocation, RevocationsRecord};
use nats::stream::Bucket;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::liveness::judge;
use super::view::{Host, View};
use crate::api::HostState;
use crate::projection::Input;

/// How late "silent" may be noticed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Between two attempts to make what a host needs.
const PREPARE_PAUSE: Duration = Duration::from_secs(2);

struct Follower {
    client: Client,
    replicas: usize,
    records: BTreeMap<HostName, HostRecord>,
    beats: HashMap<HostName, Beat>,
    drains: HashMap<HostName, DrainRecord>,
    drains_known: bool,
    revoked: watch::Receiver<Arc<RevocationsRecord>>,
    connected_since: Option<Instant>,
    preparing: JoinSet<()>,
}

struct Beat {
    presence: Presence,
    at: Timestamp,
    heard: Instant,
}

/// Follows for ever. `known` are the hosts of the projection, so that a coordinator that starts without NATS can
/// name them. Every report also goes into the projection by `inputs`.
pub async fn follow(
    client: Client,
    replicas: usize,
    known: Vec<HostRecord>,
    mut revoked: watch::Receiver<Arc<RevocationsRecord>>,
    views: watch::Sender<Arc<View>>,
    inputs: mpsc::Sender<Input>,
) {
    let mut follower = Follower {
        records: known
            .into_iter()
            .map(|record| (record.host.clone(), record))
            .collect(),
        beats: HashMap::new(),
        drains: HashMap::new(),
        drains_known: false,
        revoked: revoked.clone(),
        connected_since: None,
        preparing: JoinSet::new(),
        client: client.clone(),
        replicas,
    };
    let mut connection = client.connection();
    let mut records = client.records::<HostRecord>(Bucket::Hosts).watch();
    let mut beats = client.records::<Presence>(Bucket::Presence).watch();
    let mut drains = client.records::<DrainRecord>(Bucket::Drains).watch();
    let mut tick = interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            Some(change) = records.recv() => {
                if let Some(record) = follower.reported(change) {
                    follower.prepare(&record.host);
                    if inputs.send(Input::Host { record }).await.is_err() {
                        return;
                    }
                }
            }
            Some(change) = beats.recv() => follower.beaten(change),
            Some(change) = drains.recv() => follower.drained(change),
            changed = revoked.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            changed = connection.changed() => {
                if changed.is_err() {
                    return;
                }
                let up = connection.borrow_and_update().up;
                follower.connected_since = up.then(Instant::now);
                if up {
                    // Heartbeats live in memory: a server that restarted counts them from 1 again, and a watch
                    // that goes on from its last number would hear nothing for a long time.
                    beats = client.records::<Presence>(Bucket::Presence).watch();
                }
            }
            // What is done is forgotten.
            Some(_) = follower.preparing.join_next() => {}
            _ = tick.tick() => {}
        }
        let view = follower.view();
        views.send_if_modified(|latest| {
            let changed = **latest != view;
            if changed {
                *latest = Arc::new(view);
            }
            changed
        });
    }
}

impl Follower {
    /// The report, if it is one: a record under another host's key is that host's forgery.
    fn reported(&mut self, change: Change<HostRecord>) -> Option<Box<HostRecord>> {
        match change {
            Change::Put { key, value, .. } if value.host.as_str() == key => {
                self.records.insert(value.host.clone(), value.clone());
                Some(Box::new(value))
            }
            Change::Put { key, value, .. } => {
                tracing::error!(key, host = %value.host, "a host's report stands under another name; ignored");
                None
            }
            Change::Gone { key, .. } => {
                self.records.retain(|host, _| host.as_str() != key);
                None
            }
            Change::UpToDate => None,
        }
    }

    fn beaten(&mut self, change: Change<Presence>) {
        match change {
            Change::Put { key, value, .. } if value.host.as_str() == key => {
                let beat = Beat {
                    presence: value,
                    at: Timestamp::now(),
                    heard: Instant::now(),
                };
                self.beats.insert(beat.presence.host.clone(), beat);
            }
            Change::Put { key, .. } => {
                tracing::error!(key, "a heartbeat stands under another host's name; ignored")
            }
            // Its time to live ran out. The age of the last one says the same a moment later; kept for its time.
            Change::Gone { .. } | Change::UpToDate => {}
        }
    }

    fn drained(&mut self, change: Change<DrainRecord>) {
        match change {
            Change::Put { value, .. } => {
                self.drains.insert(value.host.clone(), value);
            }
            Change::Gone { key, .. } => self.drains.retain(|host, _| host.as_str() != key),
            Change::UpToDate => self.drains_known = true,
        }
    }

    /// Of this host, and not of one that had its name before.
    fn revocation(&self, record: &HostRecord) -> Option<Revocation> {
        let all = self.revoked.borrow();
        let mut of_it = all.revoked.values().filter(|it| it.host == record.host);
        of_it.find(|it| record.started_at <= it.at).cloned()
    }

    /// Makes the queue of its commands and its object bucket, beside all else: the host waits for them.
    fn prepare(&mut self, host: &HostName) {
        let (client, replicas, host) = (self.client.clone(), self.replicas, host.clone());
        self.preparing.spawn(async move {
            loop {
                client.connected().await;
                match client.ensure_host(&host, replicas).await {
                    Ok(()) => return,
                    Err(error) => {
                        tracing::warn!(error = %crate::chain(&error), %host, "what the host needs in JetStream cannot be made yet");
                    }
                }
                sleep(PREPARE_PAUSE).await;
            }
        });
    }

    fn view(&self) -> View {
        let now = Instant::now();
        let host = |record: &HostRecord| {
            let beat = self.beats.get(&record.host);
            let revoked = self.revocation(record);
            // It is cut off; that its last heartbeat is not old yet says nothing.
            let state = if revoked.is_some() {
                HostState::Silent
            } else {
                judge(beat.map(|beat| beat.heard), self.connected_since, now)
            };
            Host {
                record: record.clone(),
                presence: beat.map(|beat| beat.presence.clone()),
                heard_at: beat.map(|beat| beat.at),
                state,
                drain: self.drains.get(&record.host).cloned(),
                revoked,
            }
        };
        View {
            hosts: self
                .records
                .iter()
                .map(|(name, record)| (name.clone(), host(record)))
                .collect(),
            drains_known: self.drains_known,
        }
    }
}
