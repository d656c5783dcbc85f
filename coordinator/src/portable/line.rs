//! The lines of a session's file.

use std::collections::BTreeMap;

use nats::Timestamp;
use nats::command::MessageSend;
use nats::event::{Event, ObjectReference};
use nats::ids::{CommandId, HostName, SessionId, UserId};
use nats::record::SessionRecord;
use nats::{Envelope, stream};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Counted up when an older build could not read the file any more.
pub const VERSION: u32 = 1;
/// More than any event that NATS takes, and than any part of an object.
pub const LINE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Of an object, in one line.
pub const PART_BYTES: usize = 192 * 1024;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    Session(Box<Head>),
    Part(Part),
    /// An object that is named and was not there any more.
    Missing(Missing),
    Event(Box<RawValue>),
    End(End),
}

/// What is known of a session besides its events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    pub v: u32,
    pub session: SessionId,
    /// Where it ran.
    pub host: HostName,
    pub epoch: u64,
    pub project: String,
    pub agent: String,
    pub title: String,
    pub created_at: Timestamp,
    pub created_by: UserId,
    #[serde(default)]
    pub base: Option<String>,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    #[serde(default)]
    pub prompt: Option<MessageSend>,
    #[serde(default)]
    pub prompt_id: Option<CommandId>,
}

impl Head {
    /// Of a session that ran here, or elsewhere when it was imported.
    #[must_use]
    pub fn of(record: &SessionRecord) -> Self {
        Self {
            v: VERSION,
            session: record.session,
            host: origin(record).clone(),
            epoch: record.epoch,
            project: record.project.clone(),
            agent: record.agent.clone(),
            title: record.title.clone(),
            created_at: record.created_at,
            created_by: record.created_by,
            base: record.base.clone(),
            labels: record.labels.clone(),
            prompt: record.prompt.clone(),
            prompt_id: record.prompt_id,
        }
    }
}

/// The host that a session ran on, here or in the fleet that it came from.
#[must_use]
pub fn origin(record: &SessionRecord) -> &HostName {
    record
        .imported
        .as_ref()
        .map_or(&record.host, |imported| &imported.host)
}

/// Some bytes of an object. All parts of one follow each other.
#[derive(Debug, Serialize, Deserialize)]
pub struct Part {
    pub object: String,
    /// Of the whole object.
    pub bytes: u64,
    /// Where these begin.
    pub at: u64,
    /// In base64.
    pub data: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Missing {
    pub object: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    pub events: u64,
    pub objects: u64,
    /// Of every line before this one, with their line ends.
    pub sha256: String,
}

/// The objects that an event names, as they lie in the bucket of `host`.
#[must_use]
pub fn references(host: &HostName, envelope: &Envelope) -> Vec<ObjectReference> {
    let mut references: Vec<_> = envelope.object.iter().cloned().collect();
    if let Some(Event::MessageUser(message)) = envelope.event() {
        references.extend(message.attachments.iter().map(|file| ObjectReference {
            bucket: stream::object_bucket(host),
            name: file.object_name(),
            bytes: file.bytes,
            sha256: file.sha256.clone(),
        }));
    }
    references
}
