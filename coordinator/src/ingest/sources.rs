//! What is read: two streams from where the projection stands, and the bucket of session records.

use nats::client::{Change, Client, Followed, From};
use nats::record::SessionRecord;
use nats::stream::{self, Bucket};
use nats::subject;
use tokio::sync::{mpsc, oneshot};

use super::ends::Ends;
use super::reach::Reached;
use super::reading::{ReadEvent, read};
use crate::projection::{Input, Position, Positions};

pub struct Sources {
    client: Client,
    events: mpsc::Receiver<ReadEvent>,
    audit: mpsc::Receiver<Followed>,
    sessions: mpsc::Receiver<Change<SessionRecord>>,
    /// Reports of hosts, as they are followed elsewhere.
    hosts: mpsc::Receiver<Input>,
    known: Positions,
    reached: Reached,
    /// Where the streams ended when reading began, once they have said it.
    ends: oneshot::Receiver<Ends>,
    caught_up: CaughtUp,
    behind: u64,
    foreign: bool,
}

#[derive(Default)]
struct CaughtUp {
    events: bool,
    audit: bool,
    sessions: bool,
}

impl Sources {
    #[must_use]
    pub fn new(client: &Client, positions: Positions, hosts: mpsc::Receiver<Input>) -> Self {
        // From the last one that is known, and not from the next: it comes at once, tells how many follow, and
        // shows that it is the one we know.
        let from = |position: &Position| From::Sequence(position.sequence.max(1));
        let events = client.follow(stream::EVENTS, subject::ALL_EVENTS, from(&positions.events));
        Self {
            events: read(events),
            audit: client.follow(stream::AUDIT, subject::ALL_AUDIT, from(&positions.audit)),
            sessions: client.records(Bucket::Sessions).watch(),
            client: client.clone(),
            hosts,
            reached: Reached {
                events: positions.events.sequence,
                // Every record is told anew.
                sessions: 0,
            },
            ends: Ends::ask(client, &positions),
            known: positions,
            caught_up: CaughtUp::default(),
            behind: 0,
            foreign: false,
        }
    }

    /// Waits for something and takes with it what else is there, at most `limit`. Empty = nothing new, but what is
    /// known of being caught up has changed. Cancel-safe.
    pub async fn next(&mut self, limit: usize) -> Vec<Input> {
        let mut batch = Vec::new();
        tokio::select! {
            Some(event) = self.events.recv() => self.event(event, &mut batch),
            Some(message) = self.audit.recv() => self.audit(message, &mut batch),
            Some(change) = self.sessions.recv() => self.session(change, &mut batch),
            Some(input) = self.hosts.recv() => batch.push(input),
            Ok(ends) = &mut self.ends, if !self.ends.is_terminated() => self.told(&ends),
        }
        self.drain(limit, &mut batch);
        batch
    }

    /// Whether these are not the streams that the projection was made from: NATS was set up anew, or it is another.
    #[must_use]
    pub const fn foreign(&self) -> bool {
        self.foreign
    }

    /// The same sources from their beginning.
    #[must_use]
    pub fn restarted(self) -> Self {
        Self::new(&self.client, Positions::default(), self.hosts)
    }

    #[must_use]
    pub const fn caught_up(&self) -> bool {
        self.caught_up.events && self.caught_up.audit && self.caught_up.sessions
    }

    #[must_use]
    pub const fn behind(&self) -> u64 {
        self.behind
    }

    /// How far the batches go that were given out.
    #[must_use]
    pub const fn reached(&self) -> Reached {
        self.reached
    }

    fn drain(&mut self, limit: usize, batch: &mut Vec<Input>) {
        while batch.len() < limit {
            let before = batch.len();
            if let Ok(change) = self.sessions.try_recv() {
                self.session(change, batch);
            }
            if let Ok(event) = self.events.try_recv() {
                self.event(event, batch);
            }
            if let Ok(message) = self.audit.try_recv() {
                self.audit(message, batch);
            }
            if let Ok(input) = self.hosts.try_recv() {
                batch.push(input);
            }
            if batch.len() == before {
                return;
            }
        }
    }

    fn event(&mut self, event: ReadEvent, batch: &mut Vec<Input>) {
        let ReadEvent {
            sequence,
            pending,
            arrival,
        } = event;
        self.behind = pending;
        self.caught_up.events |= pending == 0;
        if sequence <= self.known.events.sequence {
            self.foreign |= Position::of(sequence, &arrival.body) != self.known.events;
            return;
        }
        self.reached.events = sequence;
        batch.push(Input::Event { sequence, arrival });
    }

    fn audit(&mut self, message: Followed, batch: &mut Vec<Input>) {
        self.caught_up.audit |= message.pending == 0;
        if message.sequence <= self.known.audit.sequence {
            self.foreign |= Position::of(message.sequence, &message.payload) != self.known.audit;
            return;
        }
        batch.push(Input::Audit {
            sequence: message.sequence,
            subject: message.subject,
            body: message.payload,
        });
    }

    fn session(&mut self, change: Change<SessionRecord>, batch: &mut Vec<Input>) {
        if let Change::Put { revision, .. } | Change::Gone { revision, .. } = &change {
            self.reached.sessions = self.reached.sessions.max(*revision);
        }
        match change {
            Change::Put {
                key,
                revision,
                value,
            } if value.session.to_string() == key => {
                let record = Box::new(value);
                batch.push(Input::Session { revision, record });
            }
            Change::Put { key, .. } => {
                tracing::error!(key, "a session's record stands under another name; ignored")
            }
            Change::Gone { key, .. } => tracing::warn!(
                key,
                "a session's record was deleted; what is known of it stays"
            ),
            Change::UpToDate => self.caught_up.sessions = true,
        }
    }

    /// A stream without anything new says nothing, and one that lacks what is known is another.
    fn told(&mut self, ends: &Ends) {
        self.foreign |= ends.lacks(&self.known);
        self.caught_up.events |= !ends.events.goes_beyond(self.known.events.sequence);
        self.caught_up.audit |= !ends.audit.goes_beyond(self.known.audit.sequence);
    }
}
