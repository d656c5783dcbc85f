//! Writing a session's file, as it is read from EVENTS and its host's bucket: nothing of it is gathered in memory.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::Stream;
use nats::client::{self, Client};
use nats::event::ObjectReference;
use nats::record::SessionRecord;
use nats::{Envelope, client::Followed};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::time::{Duration, timeout};

use super::line::{End, Head, Line, Missing, PART_BYTES, Part, origin, references};
use super::rehome::rehome;

/// A server that restarts is back within this; the events go on where they were.
const NEXT_BOUND: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not read what NATS holds")]
    Nats(#[from] client::Error),
    #[error("the events of the session stopped coming")]
    Stopped,
    #[error("a line could not be written")]
    Line(#[from] serde_json::Error),
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Exporter {
    client: Client,
}

impl Exporter {
    #[must_use]
    pub fn new(client: &Client) -> Self {
        Self {
            client: client.clone(),
        }
    }

    /// The lines of the file. An error breaks it off, and what came before is then no whole file.
    pub fn export(
        self,
        record: SessionRecord,
    ) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
        async_stream::try_stream! {
            let mut writer = Writer::default();
            let head = Head::of(&record);
            yield writer.line(&Line::Session(Box::new(head)))?;
            let mut events = Events::open(&self.client, &record).await?;
            while let Some((envelope, text)) = events.next(&record).await? {
                for reference in references(&record.host, &envelope) {
                    if !writer.begin_object(&reference) {
                        continue;
                    }
                    let object = reference.name.clone();
                    let Some(bytes) = self.client.find_object(&reference).await? else {
                        yield writer.line(&Line::Missing(Missing { object }))?;
                        continue;
                    };
                    writer.objects += 1;
                    for (index, data) in bytes.chunks(PART_BYTES).enumerate() {
                        let part = Part {
                            object: object.clone(),
                            bytes: bytes.len() as u64,
                            at: (index * PART_BYTES) as u64,
                            data: STANDARD.encode(data),
                        };
                        yield writer.line(&Line::Part(part))?;
                    }
                }
                let event = RawValue::from_string(rehome(&text, origin(&record))?)?;
                writer.events += 1;
                yield writer.line(&Line::Event(event))?;
            }
            yield writer.end()?;
        }
    }
}

/// Counts and hashes what is written.
#[derive(Default)]
struct Writer {
    hash: Sha256,
    events: u64,
    objects: u64,
    named: BTreeSet<String>,
}

impl Writer {
    fn line(&mut self, line: &Line) -> Result<Bytes, serde_json::Error> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.hash.update(&text);
        Ok(text.into())
    }

    /// Whether this object is named for the first time.
    fn begin_object(&mut self, reference: &ObjectReference) -> bool {
        self.named.insert(reference.name.clone())
    }

    fn end(&mut self) -> Result<Bytes, serde_json::Error> {
        let end = End {
            events: self.events,
            objects: self.objects,
            sha256: hex::encode(self.hash.clone().finalize()),
        };
        self.line(&Line::End(end))
    }
}

/// The events of a session that its owner wrote, in order, up to the end of now.
struct Events {
    stored: Option<(u64, mpsc::Receiver<Followed>)>,
    next: u64,
    last: u64,
}

impl Events {
    async fn open(client: &Client, record: &SessionRecord) -> Result<Self, Error> {
        let last = match &record.imported {
            // What was added here to what was imported stays here.
            Some(imported) => imported.last_seq,
            None => client
                .last_event(&record.host, record.session)
                .await?
                .map_or(0, |last| last.seq),
        };
        Ok(Self {
            stored: client
                .session_events(record.session, record.first_seq)
                .await?,
            next: 1,
            last,
        })
    }

    async fn next(&mut self, record: &SessionRecord) -> Result<Option<(Envelope, String)>, Error> {
        while self.next <= self.last {
            let Some((end, events)) = &mut self.stored else {
                return Err(Error::Stopped);
            };
            let message = timeout(NEXT_BOUND, events.recv()).await.ok().flatten();
            let message = message.ok_or(Error::Stopped)?;
            let is_end = message.sequence >= *end;
            if let Some(found) = self.take(record, &message) {
                self.next += 1;
                return Ok(Some(found));
            }
            if is_end {
                return Err(Error::Stopped);
            }
        }
        Ok(None)
    }

    /// The event, if it is the next one that its owner wrote: what nobody believes is not taken along.
    fn take(&self, record: &SessionRecord, message: &Followed) -> Option<(Envelope, String)> {
        let envelope: Envelope = serde_json::from_slice(&message.payload).ok()?;
        let subject = nats::subject::event(&record.host, record.session, envelope.body.tag());
        let is_ours = subject == message.subject
            && envelope.host == record.host
            && envelope.epoch == record.epoch
            && envelope.seq == self.next;
        let text = crate::projection::one_line(&message.payload)?;
        is_ours.then(|| (envelope, text.into_owned()))
    }
}
