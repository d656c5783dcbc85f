//! What travels from the hub to a watcher, shared by all of them.

use std::sync::{Arc, OnceLock};

use axum::extract::ws::Utf8Bytes;
use nats::ids::SessionId;

use crate::api::{EventRow, Gate, HostRow, LiveRow, SessionRow, SocketDown, Status};

/// Cheap to clone.
#[derive(Debug, Clone)]
pub enum Frame {
    Events(Arc<EventBatch>),
    Live(Arc<LiveBatch>),
    Fleet(Arc<FleetChange>),
    Status(Status),
}

/// New events of one session, in order.
#[derive(Debug)]
pub struct EventBatch {
    pub session: SessionId,
    pub rows: Vec<(u64, EventRow)>,
    text: OnceLock<Utf8Bytes>,
}

#[derive(Debug)]
pub struct LiveBatch {
    pub session: SessionId,
    pub rows: Vec<LiveRow>,
    text: OnceLock<Utf8Bytes>,
}

/// Rows that are new or changed.
#[derive(Debug, Default)]
pub struct FleetChange {
    pub sessions: Vec<SessionRow>,
    pub gates: Vec<Gate>,
    pub hosts: Vec<HostRow>,
    text: OnceLock<Utf8Bytes>,
}

impl Frame {
    /// About how much memory it holds, for the bound on what waits for one watcher.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Events(batch) => batch.rows.iter().map(|(_, row)| row.text().len()).sum(),
            Self::Live(batch) => batch.rows.len() * 256,
            Self::Fleet(change) => {
                (change.sessions.len() + change.gates.len() * 4 + change.hosts.len()) * 1024
            }
            Self::Status(_) => 64,
        }
    }
}

impl EventBatch {
    #[must_use]
    pub const fn new(session: SessionId, rows: Vec<(u64, EventRow)>) -> Self {
        Self {
            session,
            rows,
            text: OnceLock::new(),
        }
    }

    /// The rows after `seq`: a watcher that has read some of them from the projection has the rest here.
    #[must_use]
    pub fn after(&self, seq: u64) -> &[(u64, EventRow)] {
        let first = self.rows.partition_point(|(row, _)| *row <= seq);
        &self.rows[first..]
    }

    /// The frame of a socket, written once for all of them.
    #[must_use]
    pub fn text(&self) -> Utf8Bytes {
        written(&self.text, || events_frame(self.session, &self.rows))
    }
}

/// The frame of a socket for some rows.
#[must_use]
pub fn events_frame(session: SessionId, rows: &[(u64, EventRow)]) -> SocketDown {
    SocketDown::Events {
        session,
        events: rows.iter().map(|(_, row)| row.clone()).collect(),
    }
}

impl LiveBatch {
    #[must_use]
    pub const fn new(session: SessionId, rows: Vec<LiveRow>) -> Self {
        Self {
            session,
            rows,
            text: OnceLock::new(),
        }
    }

    #[must_use]
    pub fn text(&self) -> Utf8Bytes {
        written(&self.text, || SocketDown::Live {
            session: self.session,
            live: self.rows.clone(),
        })
    }
}

impl FleetChange {
    #[must_use]
    pub fn text(&self) -> Utf8Bytes {
        written(&self.text, || SocketDown::Fleet {
            snapshot: false,
            sessions: self.sessions.clone(),
            gates: self.gates.clone(),
            hosts: self.hosts.clone(),
        })
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.gates.is_empty() && self.hosts.is_empty()
    }
}

fn written(text: &OnceLock<Utf8Bytes>, frame: impl FnOnce() -> SocketDown) -> Utf8Bytes {
    text.get_or_init(|| to_text(&frame())).clone()
}

/// A frame as it is sent.
#[must_use]
pub fn to_text(frame: &SocketDown) -> Utf8Bytes {
    match serde_json::to_string(frame) {
        Ok(text) => text.into(),
        // Our own types always can; an empty frame is ignored by every reader.
        Err(error) => {
            tracing::error!(%error, "a frame could not be written");
            Utf8Bytes::from_static("{}")
        }
    }
}
