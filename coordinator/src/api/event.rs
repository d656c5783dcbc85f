//! One event as browsers get it: the envelope exactly as its runner wrote it, also what this build does not know.

use std::sync::Arc;

use nats::Timestamp;
use nats::event::{Event, ObjectReference};
use nats::ids::{EventId, HostName, SessionId};
use nats::live::{Live, LiveMessage};
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use ts_rs::TS;
use utoipa::{PartialSchema, ToSchema};

/// The text of an envelope. Raw, so that fields of a newer runner survive the way through an older coordinator.
#[derive(Debug, Clone, TS)]
#[ts(as = "EventShape")]
pub struct EventRow(Arc<str>);

impl EventRow {
    /// The text was read as JSON before.
    #[must_use]
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl Serialize for EventRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The library takes raw text from nobody without looking; a look costs less than a tree of values.
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl PartialSchema for EventRow {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        UnknownEventRow::schema()
    }
}

impl ToSchema for EventRow {}

/// What `EventRow` is to TypeScript: known types can be told apart by `type`, others are kept.
#[derive(TS)]
#[ts(untagged)]
#[expect(
    dead_code,
    reason = "a shape for the generator; the value travels as text"
)]
enum EventShape {
    Known(Box<KnownEventRow>),
    Unknown(Box<UnknownEventRow>),
}

/// An event whose type this build knows.
#[derive(Debug, Clone, Serialize, TS)]
pub struct KnownEventRow {
    pub v: u8,
    pub id: EventId,
    pub session: SessionId,
    pub host: HostName,
    pub epoch: u64,
    pub seq: u64,
    pub at: Timestamp,
    /// Where the whole of `data` lies when it was too big to travel; texts inside are then cut, with a mark.
    #[ts(optional)]
    pub object: Option<ObjectReference>,
    /// `type` and `data`.
    #[serde(flatten)]
    pub body: Event,
}

/// An event of a newer build: shown by its type, never dropped.
#[derive(Debug, Clone, Serialize, TS, ToSchema)]
pub struct UnknownEventRow {
    pub v: u8,
    #[schema(value_type = String)]
    pub id: EventId,
    #[schema(value_type = String)]
    pub session: SessionId,
    #[schema(value_type = String)]
    pub host: HostName,
    pub epoch: u64,
    /// 1, 2, 3 … without a hole.
    pub seq: u64,
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// Where the whole of `data` lies when it was too big to travel.
    #[ts(optional)]
    #[schema(value_type = Option<Object>)]
    pub object: Option<ObjectReference>,
    /// Such as `gate.opened`; all of them are in `docs/ARCHITECTURE.md`.
    #[serde(rename = "type")]
    pub event_type: String,
    #[schema(value_type = Object)]
    pub data: Value,
}

/// The first frame of a stream of events that has no cursor: what the tail holds that follows it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct StreamBegins {
    pub session: SessionId,
    /// First and last seq of the tail; when it is empty, `from` is `to` + 1. What is older is paged.
    pub from: u64,
    pub to: u64,
}

/// Something worth seeing now and not worth keeping. It has no seq.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct LiveRow {
    pub session: SessionId,
    pub epoch: u64,
    pub at: Timestamp,
    /// `type` and `data`.
    #[serde(flatten)]
    pub body: Live,
}

impl LiveRow {
    /// None for a type this build does not know: what is not kept needs no passing on.
    #[must_use]
    pub fn from_message(message: &LiveMessage) -> Option<Self> {
        Some(Self {
            session: message.session,
            epoch: message.epoch,
            at: message.at,
            body: message.body.known()?.clone(),
        })
    }
}
