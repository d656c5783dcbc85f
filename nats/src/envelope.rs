//! What every event is wrapped in: complete in itself, so that one line of `nats sub` tells the whole fact.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::event::{Event, ObjectReference};
use crate::ids::{EventId, HostName, SessionId};
use crate::timestamp::Timestamp;
use crate::wire::Wire;

/// The version of the envelope, not of what is inside: new fields do not change it.
pub const VERSION: u8 = 1;

/// One row of a session's log as it travels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Shape")]
pub struct Envelope {
    pub v: u8,
    pub id: EventId,
    pub session: SessionId,
    pub host: HostName,
    /// Raised when a session changes hosts. Events of an older epoch are from a former owner.
    pub epoch: u64,
    /// 1, 2, 3 … without a hole; the one number that replay and live share.
    pub seq: u64,
    pub at: Timestamp,
    /// Where the whole of `data` lies when it was too big to travel; texts inside are then cut, with a mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectReference>,
    /// `type` and `data`.
    #[serde(flatten)]
    pub body: Wire<Event>,
}

/// An envelope as it is read.
#[derive(Deserialize)]
struct Shape {
    v: u8,
    id: EventId,
    session: SessionId,
    host: HostName,
    epoch: u64,
    seq: u64,
    at: Timestamp,
    #[serde(default)]
    object: Option<ObjectReference>,
    #[serde(rename = "type")]
    tag: String,
    #[serde(default)]
    data: Option<Box<RawValue>>,
}

impl TryFrom<Shape> for Envelope {
    type Error = serde_json::Error;

    fn try_from(shape: Shape) -> Result<Self, Self::Error> {
        Ok(Self {
            v: shape.v,
            id: shape.id,
            session: shape.session,
            host: shape.host,
            epoch: shape.epoch,
            seq: shape.seq,
            at: shape.at,
            object: shape.object,
            body: Wire::from_parts(shape.tag, shape.data)?,
        })
    }
}

impl Envelope {
    /// The event, if this build knows its type.
    #[must_use]
    pub const fn event(&self) -> Option<&Event> {
        self.body.known()
    }
}
