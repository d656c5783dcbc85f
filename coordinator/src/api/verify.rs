//! What a look through a whole session found: its numbers on the host, in the stream and here.

use nats::ids::{HostName, SessionId};
use serde::Serialize;
use ts_rs::TS;
use utoipa::ToSchema;

/// A session's numbers, end to end.
#[derive(Debug, Clone, PartialEq, Serialize, TS, ToSchema)]
pub struct SessionVerification {
    #[schema(value_type = String)]
    pub session: SessionId,
    #[schema(value_type = String)]
    pub host: HostName,
    pub epoch: u64,
    pub verdict: Verdict,
    /// Events that were compared.
    pub events: u64,
    /// In the order of the way of an event.
    pub parts: Vec<VerifiedPart>,
    /// The first one of all: the lowest seq, and of that the part that an event meets first.
    pub difference: Option<VerifyDifference>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything was looked at and says the same.
    Same,
    Different,
    /// What could be looked at says the same; something could not.
    Incomplete,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartName {
    Shim,
    HostLog,
    Stream,
    Objects,
    Projection,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartState {
    Same,
    Different,
    /// It could not be looked at; `words` says why.
    Unchecked,
    /// There is none to look at, and there need not be.
    Absent,
}

#[derive(Debug, Clone, PartialEq, Serialize, TS, ToSchema)]
pub struct VerifiedPart {
    pub part: PartName,
    pub state: PartState,
    /// What was seen, in a few words.
    pub words: String,
    pub difference: Option<VerifyDifference>,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS, ToSchema)]
pub struct VerifyDifference {
    pub part: PartName,
    /// The event it is about, where it is about one.
    pub seq: Option<u64>,
    pub expected: String,
    pub found: String,
}
