//! The parts that handlers work with. Cheap to clone.

use std::sync::Arc;

use nats::ids::SessionId;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::body::unknown_session;
use super::error::ApiError;
use crate::auth::{Limiter, People, SetupToken};
use crate::dispatch::Dispatch;
use crate::ingest::Gauges;
use crate::live::{Hub, Written};
use crate::objects::Objects;
use crate::projection::{Reader, StoredSession, query};
use crate::show::Show;

#[derive(Clone)]
pub struct App {
    pub people: People,
    pub limiter: Limiter,
    pub setup_token: SetupToken,
    pub reader: Reader,
    pub show: Show,
    pub dispatch: Dispatch,
    pub objects: Objects,
    pub hub: Hub,
    pub written: Written,
    pub gauges: Gauges,
    /// The address people use, when it is not the one we listen on.
    pub public_url: Option<Arc<str>>,
    pub shutdown: CancellationToken,
    /// What outlives its request: sockets.
    pub tasks: TaskTracker,
}

impl App {
    /// The session, or the refusal that says there is none.
    pub async fn session(&self, id: SessionId) -> Result<StoredSession, ApiError> {
        let found = self
            .reader
            .read(move |connection| query::session(connection, id))
            .await?;
        found.ok_or_else(|| unknown_session(&id))
    }

    /// The session, if it has not ended.
    pub async fn open_session(&self, id: SessionId) -> Result<StoredSession, ApiError> {
        let session = self.session(id).await?;
        if session.ended() {
            return Err(
                ApiError::conflict("session_ended", "This session has ended.")
                    .hint("Start a new one; its branch is still there."),
            );
        }
        Ok(session)
    }
}
