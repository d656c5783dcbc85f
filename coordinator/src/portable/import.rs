//! Putting a session's file into this fleet, as a session that is over and belongs to nobody's machine.
//!
//! The coordinator writes it under a host's name that no host can have, by compare-and-set like every owner, and its
//! record last: until then nobody sees anything of it. What an import that died has left in EVENTS lies before the
//! record's `first_seq`, and is passed over by all.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use nats::Timestamp;
use nats::client::{self, Client, EVENT_BATCH_MAX, EventRow, PublishError};
use nats::event::{Event, ObjectReference, SessionEnded};
use nats::ids::{EventId, HostName, SessionId, UserId};
use nats::record::{self, Placement, SessionRecord};
use nats::stream::{self, Bucket};
use nats::{Envelope, Wire};
use tokio::time::{Duration, sleep};

use super::check::{Check, Checked, Passed};
use super::rehome::rehome;
use super::spool::{self, Spool};
use crate::dispatch::{self, Dispatch};

/// Of one round of events.
const ROUND_BYTES_MAX: usize = 1024 * 1024;
/// A server that restarts is back within this many tries.
const TRIES_MAX: usize = 40;
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Spool(#[from] spool::Error),
    #[error("could not use NATS")]
    Nats(#[from] client::Error),
    #[error(transparent)]
    Dispatch(#[from] dispatch::Error),
    #[error("NATS did not take the events")]
    Publish(#[source] PublishError),
    /// The session is here, and not from this file.
    #[error("{session} is here already{how}")]
    Another {
        session: SessionId,
        how: &'static str,
    },
    #[error("the object `{0}` is here already, with other bytes")]
    OtherObject(String),
    #[error("{0} is being imported by somebody else at this moment")]
    Busy(SessionId),
    #[error("an event could not be written")]
    Event(#[from] serde_json::Error),
}

/// What came of an import.
#[derive(Debug)]
pub struct Imported {
    pub record: SessionRecord,
    pub objects: u64,
    /// It was here before, from the same file: nothing was done.
    pub already: bool,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Importer {
    client: Client,
    dispatch: Dispatch,
    replicas: usize,
    /// Where files lie while they are looked at.
    folder: Arc<Path>,
}

impl Importer {
    #[must_use]
    pub fn new(client: &Client, dispatch: &Dispatch, replicas: usize, folder: PathBuf) -> Self {
        Self {
            client: client.clone(),
            dispatch: dispatch.clone(),
            replicas,
            folder: folder.into(),
        }
    }

    /// Reads the whole file and looks at all of it; nothing is stored yet.
    pub async fn receive(&self, body: Body) -> Result<(Spool, Checked), Error> {
        let spool = Spool::fill(&self.folder, body).await?;
        let checked = spool.check().await?;
        Ok((spool, checked))
    }

    /// Stores a file that was looked at.
    pub async fn store(
        &self,
        spool: Spool,
        checked: &Checked,
        by: UserId,
    ) -> Result<Imported, Error> {
        let session = checked.head.session;
        let records = self.client.records::<SessionRecord>(Bucket::Sessions);
        if let Some(known) = records.get(&session.to_string()).await? {
            return already(known.value, checked);
        }
        let host = HostName::imported();
        self.client.ensure_host(&host, self.replicas).await?;
        let first_seq = self.publish(spool, checked, &host).await?;
        let record = of(checked, host, first_seq, by);
        if let Some(known) = self.dispatch.create_session(&record).await? {
            return already(known, checked);
        }
        Ok(Imported {
            record,
            objects: checked.end.objects,
            already: false,
        })
    }

    /// Everything in the file and the end of the session; says where in EVENTS it begins.
    async fn publish(
        &self,
        spool: Spool,
        checked: &Checked,
        host: &HostName,
    ) -> Result<u64, Error> {
        let mut log = Log::open(&self.client, checked, host).await?;
        let mut lines = spool.lines();
        let mut check = Check::default();
        while let Some(line) = lines.recv().await {
            match check.take(&line?).map_err(spool::Error::Bad)? {
                Passed::Object {
                    name,
                    bytes,
                    sha256,
                } => self.put(host, name, &bytes, sha256).await?,
                Passed::Event {
                    text,
                    seq,
                    event_type,
                } => {
                    let body = rehome(&text, host)?.into_bytes();
                    log.add(seq, event_type, body).await?;
                }
                Passed::Head | Passed::Part | Passed::Missing | Passed::End => {}
            }
        }
        if !checked.over {
            log.end(checked).await?;
        }
        log.flush().await?;
        Ok(log.first)
    }

    async fn put(
        &self,
        host: &HostName,
        name: String,
        bytes: &[u8],
        sha256: String,
    ) -> Result<(), Error> {
        let reference = ObjectReference {
            bucket: stream::object_bucket(host),
            name,
            bytes: bytes.len() as u64,
            sha256,
        };
        match self.client.find_object(&reference).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => {
                self.client.put_object(host, &reference.name, bytes).await?;
                Ok(())
            }
            // All imported sessions share a bucket, and none may change what another one shows.
            Err(client::Error::Damaged { .. }) => Err(Error::OtherObject(reference.name)),
            Err(error) => Err(error.into()),
        }
    }
}

/// The same file once more is no mistake; another one is.
fn already(known: SessionRecord, checked: &Checked) -> Result<Imported, Error> {
    let session = known.session;
    let how = match &known.imported {
        None => ", and was not imported; an import never changes a session",
        Some(imported) if imported.sha256 != checked.end.sha256 => {
            ", imported from another file; an import never changes a session"
        }
        Some(_) => {
            return Ok(Imported {
                record: known,
                objects: checked.end.objects,
                already: true,
            });
        }
    };
    Err(Error::Another { session, how })
}

fn of(checked: &Checked, host: HostName, first_seq: u64, by: UserId) -> SessionRecord {
    let head = checked.head.clone();
    SessionRecord {
        session: head.session,
        host,
        epoch: head.epoch,
        project: head.project,
        agent: head.agent,
        title: head.title,
        created_at: head.created_at,
        created_by: head.created_by,
        base: head.base,
        labels: head.labels,
        first_seq,
        prompt: head.prompt,
        prompt_id: head.prompt_id,
        imported: Some(record::Imported {
            host: head.host,
            at: Timestamp::now(),
            by,
            last_seq: checked.end.events,
            ended_here: !checked.over,
            sha256: checked.end.sha256.clone(),
        }),
        placement: Placement::default(),
    }
}

/// The session's log in EVENTS, as its one owner writes it.
struct Log<'a> {
    client: &'a Client,
    host: &'a HostName,
    session: SessionId,
    epoch: u64,
    /// The stream sequence of the last event under the session's name here.
    last: u64,
    /// Of the first event that is ours; 0 before there is one.
    first: u64,
    waiting: Vec<EventRow>,
    bytes: usize,
}

impl<'a> Log<'a> {
    async fn open(
        client: &'a Client,
        checked: &Checked,
        host: &'a HostName,
    ) -> Result<Self, Error> {
        let session = checked.head.session;
        let left = client.last_event(host, session).await?;
        Ok(Self {
            client,
            host,
            session,
            epoch: checked.head.epoch,
            last: left.map_or(0, |left| left.stream_sequence),
            first: 0,
            waiting: Vec::new(),
            bytes: 0,
        })
    }

    async fn add(&mut self, seq: u64, event_type: String, body: Vec<u8>) -> Result<(), Error> {
        let is_full = self.waiting.len() >= EVENT_BATCH_MAX
            || self.bytes + body.len() > ROUND_BYTES_MAX
            // The first one goes alone: its place is where the session begins.
            || self.first == 0;
        if is_full {
            self.flush().await?;
        }
        self.bytes += body.len();
        self.waiting.push(EventRow {
            epoch: self.epoch,
            seq,
            event_type,
            body: body.into(),
        });
        Ok(())
    }

    /// The last event of a session that went on where it came from.
    async fn end(&mut self, checked: &Checked) -> Result<(), Error> {
        let head = &checked.head;
        let seq = checked.end.events + 1;
        let event = Event::from(SessionEnded {
            reason: format!("imported while it was open on {}", head.host),
            clean: true,
        });
        let envelope = Envelope {
            v: nats::envelope::VERSION,
            id: EventId::new(),
            session: self.session,
            host: self.host.clone(),
            epoch: self.epoch,
            seq,
            at: Timestamp::now(),
            object: None,
            body: Wire::Known(event),
        };
        let body = serde_json::to_vec(&envelope)?;
        self.add(seq, envelope.body.tag().to_owned(), body).await
    }

    /// Stores what waits. Where an answer was lost, the last event tells what was stored.
    async fn flush(&mut self) -> Result<(), Error> {
        let mut rows = std::mem::take(&mut self.waiting);
        self.bytes = 0;
        for _ in 0..TRIES_MAX {
            if rows.is_empty() {
                return Ok(());
            }
            let (stored, newest, outcome) = self
                .client
                .publish_events(self.host, self.session, self.last, &rows, true)
                .await;
            self.stored(&mut rows, stored, newest);
            match outcome {
                Ok(()) => {}
                Err(PublishError::WrongLastSequence) => self.look(&mut rows).await?,
                Err(error) if error.is_passing() => {
                    sleep(PAUSE).await;
                    self.look(&mut rows).await?;
                }
                Err(error) => return Err(Error::Publish(error)),
            }
        }
        Err(Error::Publish(PublishError::TimedOut))
    }

    fn stored(&mut self, rows: &mut Vec<EventRow>, count: usize, newest: u64) {
        if count > 0 {
            if self.first == 0 {
                self.first = newest;
            }
            self.last = newest;
            rows.drain(..count);
        }
    }

    /// Goes on after what of `rows` is stored. Anything else at the end is somebody else's.
    async fn look(&mut self, rows: &mut Vec<EventRow>) -> Result<(), Error> {
        let last = self.client.last_event(self.host, self.session).await?;
        let Some(last) = last else {
            return if self.last == 0 {
                Ok(())
            } else {
                Err(Error::Busy(self.session))
            };
        };
        if last.stream_sequence == self.last {
            return Ok(());
        }
        let is_last = |row: &EventRow| {
            serde_json::from_slice::<Envelope>(&row.body).is_ok_and(|it| it.id == last.id)
        };
        let Some(at) = rows.iter().position(is_last) else {
            return Err(Error::Busy(self.session));
        };
        self.stored(rows, at + 1, last.stream_sequence);
        Ok(())
    }
}
