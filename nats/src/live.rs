//! Live messages: what is worth seeing now and not worth keeping. They may be lost; events never are.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use ts_rs::TS;

use crate::event::BlockKind;
use crate::ids::{HostName, SessionId, TurnId};
use crate::timestamp::Timestamp;
use crate::wire::{Wire, messages};

/// What every live message is wrapped in. It has no seq: replay does not know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Shape")]
pub struct LiveMessage {
    pub v: u8,
    pub session: SessionId,
    pub host: HostName,
    pub epoch: u64,
    pub at: Timestamp,
    /// `type` and `data`.
    #[serde(flatten)]
    pub body: Wire<Live>,
}

/// A live message as it is read.
#[derive(Deserialize)]
struct Shape {
    v: u8,
    session: SessionId,
    host: HostName,
    epoch: u64,
    at: Timestamp,
    #[serde(rename = "type")]
    tag: String,
    #[serde(default)]
    data: Option<Box<RawValue>>,
}

impl TryFrom<Shape> for LiveMessage {
    type Error = serde_json::Error;

    fn try_from(shape: Shape) -> Result<Self, Self::Error> {
        Ok(Self {
            v: shape.v,
            session: shape.session,
            host: shape.host,
            epoch: shape.epoch,
            at: shape.at,
            body: Wire::from_parts(shape.tag, shape.data)?,
        })
    }
}

messages! {
    pub enum Live {
        "delta" => Delta(Delta),
        "snapshot" => Snapshot(Snapshot),
    }
}

/// More text of a block that is still being written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Delta {
    #[serde(default)]
    pub turn: Option<TurnId>,
    pub message: String,
    pub block: u32,
    pub kind: BlockKind,
    /// Where `text` begins in the block, in UTF-16 code units as browsers count them.
    #[ts(type = "number")]
    pub offset: u64,
    pub text: String,
}

/// The whole of a block so far, now and then, for those who came late.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Snapshot {
    #[serde(default)]
    pub turn: Option<TurnId>,
    pub message: String,
    pub block: u32,
    pub kind: BlockKind,
    pub text: String,
}
