//! The parts that handlers work with. Cheap to clone.

use std::sync::Arc;

use nats::ids::{GateId, SessionId};
use rusqlite::Connection;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::body::{unknown_gate, unknown_session};
use super::error::ApiError;
use crate::api::Gate;
use crate::audit::Trail;
use crate::auth::{Limiter, People, SetupToken};
use crate::dispatch::{Dispatch, Passing as _};
use crate::enrolment::{Addresses, Office};
use crate::ingest::{Gauges, Reach};
use crate::live::{Hub, Written};
use crate::objects::Objects;
use crate::portable::{Exporter, Importer};
use crate::projection::{Reader, StoredGate, StoredSession, query};
use crate::queue::Full;
use crate::show::Show;
use crate::verify::Verifier;

#[derive(Clone)]
pub struct App {
    pub people: People,
    pub limiter: Limiter,
    pub setup_token: SetupToken,
    pub reader: Reader,
    pub reach: Reach,
    pub show: Show,
    pub dispatch: Dispatch,
    pub office: Arc<Office>,
    pub addresses: Arc<Addresses>,
    pub objects: Objects,
    pub verifier: Verifier,
    pub exporter: Exporter,
    pub importer: Importer,
    pub trail: Trail,
    pub hub: Hub,
    pub written: Written,
    /// Hosts that have refused a start a moment ago.
    pub full: Full,
    pub gauges: Gauges,
    /// The address people use, when it is not the one we listen on.
    pub public_url: Option<Arc<str>>,
    pub shutdown: CancellationToken,
    /// What outlives its request: sockets, and what was accepted.
    pub tasks: TaskTracker,
}

impl App {
    /// Sees through what was accepted, also when whoever asked for it hangs up.
    pub async fn see_through<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Result<T, ApiError> {
        match self.tasks.spawn(work.in_current_span()).await {
            Ok(outcome) => outcome,
            Err(error) => Err(ApiError::internal(&error)),
        }
    }

    /// Asks for what a wish needs. Where NATS cannot say, the wish waits for it as it would when it is written.
    pub async fn kept_at<T, F>(&self, ask: impl Fn() -> F) -> Result<T, ApiError>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        match ask().await {
            Err(error) if error.is_passing() => {
                self.dispatch.persist().until_stored(None, 0, ask).await?
            }
            settled => settled,
        }
    }

    /// The session, or the refusal that says there is none.
    pub async fn session(&self, id: SessionId) -> Result<StoredSession, ApiError> {
        self.find(move |connection| query::session(connection, id))
            .await?
            .ok_or_else(|| unknown_session(&id))
    }

    /// The gate as it is stored and as it is shown, or the refusal that says there is none.
    pub async fn gate(&self, id: GateId) -> Result<(StoredGate, Gate), ApiError> {
        self.find(move |connection| query::gate(connection, id))
            .await?
            .and_then(|stored| {
                let shown = self.show.gate(&stored)?;
                Some((stored, shown))
            })
            .ok_or_else(|| unknown_gate(&id))
    }

    /// Looks for something by its id. Another coordinator may have shown it already, so before it is said not to
    /// exist, the projection reads all that is stored now, and then it is looked for once more.
    pub async fn find<T: Send + 'static>(
        &self,
        look: impl Fn(&Connection) -> rusqlite::Result<Option<T>> + Clone + Send + 'static,
    ) -> Result<Option<T>, ApiError> {
        if let Some(found) = self.reader.read(look.clone()).await? {
            return Ok(Some(found));
        }
        let caught_up = self
            .reach
            .catch_up()
            .await
            .map_err(|error| ApiError::unavailable(&error))?;
        match self.reader.read(look).await? {
            Some(found) => Ok(Some(found)),
            None if caught_up => Ok(None),
            None => Err(ApiError::behind()),
        }
    }

    /// The session, if it has not ended.
    pub async fn open_session(&self, id: SessionId) -> Result<StoredSession, ApiError> {
        let session = self.kept_at(|| self.session(id)).await?;
        if session.ended() {
            return Err(
                ApiError::conflict("session_ended", "This session has ended.")
                    .hint("Start a new one; its branch is still there."),
            );
        }
        Ok(session)
    }

    /// The session, if it has not ended and a host has it.
    pub async fn placed_session(&self, id: SessionId) -> Result<StoredSession, ApiError> {
        let session = self.open_session(id).await?;
        if session.record.is_queued() {
            return Err(ApiError::not_placed());
        }
        Ok(session)
    }
}
