//! The frames of the one WebSocket a tab holds.

use nats::ids::SessionId;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{ErrorDetail, EventRow, Gate, HostRow, LiveRow, SessionRow};

/// From the tab.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SocketUp {
    /// Watch one session: a `subscribed` comes, then `events` and `live`.
    Subscribe {
        session: SessionId,
        /// The last seq that the tab has; left out = the tail.
        #[serde(default)]
        #[ts(optional)]
        after: Option<u64>,
    },
    Unsubscribe {
        session: SessionId,
    },
    /// Watch the lists and the inbox: a `fleet` with `snapshot: true` comes, then changes.
    SubscribeFleet,
    UnsubscribeFleet,
    /// Asks for a `pong`, so that a tab can tell a dead connection from a quiet one.
    Ping,
}

/// To the tab.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SocketDown {
    /// The first frame. No frame for two `heartbeat_ms` = the connection is dead.
    Hello {
        version: String,
        heartbeat_ms: u64,
        status: Status,
    },
    /// All that a tab needs to show a session, read after it was registered for what follows.
    Subscribed {
        session: SessionId,
        row: Box<SessionRow>,
        /// All events after `after`; or, when `reset`, the last ones, before which older ones are paged.
        tail: Vec<EventRow>,
        /// First and last seq of `tail`; when it is empty, `from` is `to` + 1.
        from: u64,
        to: u64,
        /// True when `tail` does not go on from `after`: start anew.
        reset: bool,
        /// Blocks that are being written, whole so far.
        live: Vec<LiveRow>,
        /// Every gate of the session that is pending.
        gates: Vec<Gate>,
    },
    /// Next events of one session, in order and without a hole.
    Events {
        session: SessionId,
        events: Vec<EventRow>,
    },
    Live {
        session: SessionId,
        live: Vec<LiveRow>,
    },
    /// Rows that are new or changed; each replaces the one with its id.
    Fleet {
        /// True for the first: rows that are not in it are gone.
        snapshot: bool,
        sessions: Vec<SessionRow>,
        /// Pending ones, and those that just ceased to be.
        gates: Vec<Gate>,
        hosts: Vec<HostRow>,
    },
    /// Whether what is shown is live.
    Status {
        status: Status,
    },
    Error {
        #[ts(optional)]
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<SessionId>,
        error: ErrorDetail,
    },
    Pong,
    /// The last frame: why the coordinator closes. Connect again with the cursors at hand.
    Closing {
        reason: String,
    },
}

/// How honest the page can be about being live.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, TS)]
pub struct Status {
    /// This coordinator's own connection to NATS.
    pub connected: bool,
    /// Events that are stored and not yet in the projection.
    pub behind: u64,
}
