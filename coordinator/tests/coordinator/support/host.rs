//! A host, as far as NATS sees one.

use std::collections::BTreeMap;

use nats::client::{Client, CommandFeed, EventRow};
use nats::event::{Event, State};
use nats::ids::{EventId, HostName, SessionId};
use nats::live::{Live, LiveMessage};
use nats::record::{AgentReport, HostRecord, Presence, ProjectReport};
use nats::seal::Commanders;
use nats::stream::{Bucket, PRESENCE_TTL};
use nats::wire::{Tagged as _, Wire};
use nats::{Envelope, Timestamp};

use super::events::{opened, state};

/// Events that NATS takes at once.
const BATCH: usize = 500;

/// What a host is told, and whom it believes.
pub struct Commands {
    pub feed: CommandFeed,
    pub commanders: Commanders,
}

/// A host, as far as NATS sees one.
pub struct Host {
    pub client: Client,
    pub name: HostName,
    pub(super) commanders: Commanders,
    /// Stream sequence and seq of each session's last event.
    pub(super) seqs: BTreeMap<SessionId, (u64, u64)>,
}

impl Host {
    pub fn record(&self) -> HostRecord {
        let agent = |name: &str, available: bool| AgentReport {
            name: name.to_owned(),
            title: name.to_owned(),
            version: None,
            command: None,
            available,
            hint: (!available).then(|| format!("Install it with `get {name}`.")),
        };
        HostRecord {
            host: self.name.clone(),
            version: "0".to_owned(),
            operating_system: "Linux".to_owned(),
            started_at: Timestamp::now(),
            isolated: false,
            agents: vec![agent("rehearsal", true), agent("claude", false)],
            projects: vec![
                project("shop", None),
                project("empty", Some("it has no commit yet.")),
            ],
            // More than any test begins that is not about slots.
            slots: 64,
            labels: BTreeMap::new(),
            memory_bytes: 1 << 33,
        }
    }

    pub async fn report(&self, record: HostRecord) {
        let records = self.client.records::<HostRecord>(Bucket::Hosts);
        records.put(self.name.as_str(), &record).await.unwrap();
    }

    pub async fn beat(&self) {
        let presence = Presence {
            host: self.name.clone(),
            at: Timestamp::now(),
            load: 0.5,
            memory_free_bytes: 1 << 32,
            sessions: 1,
            commands_refused: 0,
            slots: None,
            memory_pressure: None,
        };
        let records = self.client.records::<Presence>(Bucket::Presence);
        records
            .put_for(self.name.as_str(), &presence, PRESENCE_TTL)
            .await
            .unwrap();
    }

    /// Writes events as the session's owner.
    pub async fn tell(&mut self, session: SessionId, events: impl IntoIterator<Item = Event>) {
        for event in events {
            let (last, seq) = self.seqs.get(&session).copied().unwrap_or((0, 0));
            let row = self.row(session, 1, seq + 1, event);
            let (_, sequence, stored) = self
                .client
                .publish_events(&self.name, session, last, &[row], false)
                .await;
            stored.unwrap();
            self.seqs.insert(session, (sequence, seq + 1));
        }
    }

    /// Writes many events as a runner does that was away: in batches.
    pub async fn tell_many(&mut self, session: SessionId, events: Vec<Event>) {
        let (mut last, mut seq) = self.seqs.get(&session).copied().unwrap_or((0, 0));
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            let rows: Vec<EventRow> = events
                .by_ref()
                .take(BATCH)
                .zip(seq + 1..)
                .map(|(event, seq)| self.row(session, 1, seq, event))
                .collect();
            let (stored, sequence, done) = self
                .client
                .publish_events(&self.name, session, last, &rows, true)
                .await;
            done.unwrap();
            (last, seq) = (sequence, seq + stored as u64);
        }
        self.seqs.insert(session, (last, seq));
    }

    /// An event as it travels.
    pub fn row(&self, session: SessionId, epoch: u64, seq: u64, event: Event) -> EventRow {
        let event_type = event.tag().to_owned();
        let envelope = Envelope {
            v: 1,
            id: EventId::new(),
            session,
            host: self.name.clone(),
            epoch,
            seq,
            at: Timestamp::now(),
            object: None,
            body: Wire::Known(event),
        };
        let body = serde_json::to_vec(&envelope).unwrap().into();
        EventRow {
            epoch,
            seq,
            event_type,
            body,
        }
    }

    pub async fn say_live(&self, session: SessionId, live: Live) {
        let message = LiveMessage {
            v: 1,
            session,
            host: self.name.clone(),
            epoch: 1,
            at: Timestamp::now(),
            body: Wire::Known(live),
        };
        self.client.publish_live(&message).await;
    }

    pub fn commands(&self) -> Commands {
        Commands {
            feed: self.client.commands(&self.name),
            commanders: self.commanders.clone(),
        }
    }

    /// Answers a start as a runner does: opens, and opens a gate when asked to.
    pub async fn open(&mut self, session: SessionId) {
        self.tell(session, [opened(), state(State::Working)]).await;
    }
}

fn project(name: &str, problem: Option<&str>) -> ProjectReport {
    ProjectReport {
        id: format!("prj-{name}"),
        name: name.to_owned(),
        path: format!("/srv/{name}"),
        remote: None,
        branch: Some("main".to_owned()),
        head: None,
        uncommitted: 0,
        problem: problem.map(str::to_owned),
    }
}
