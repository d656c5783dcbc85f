//! One session's numbers, compared end to end. Asks, and changes nothing.

use axum::Json;
use axum::extract::State;

use super::app::App;
use super::body::SessionPath;
use super::caller::Caller;
use super::error::ApiError;
use crate::api::{ErrorBody, SessionVerification};

/// Compares the session's log on its host, EVENTS, its objects and this coordinator's rows, and names the first
/// difference. A post, because a host is asked.
#[utoipa::path(post, path = "/api/sessions/{id}/verify", tag = "sessions", responses(
    (status = 200, body = SessionVerification), (status = "default", body = ErrorBody)))]
pub async fn run(
    State(app): State<App>,
    _caller: Caller,
    SessionPath(id): SessionPath,
) -> Result<Json<SessionVerification>, ApiError> {
    let session = app.session(id).await?;
    if session.record.placement.queued_since.is_some() {
        return Err(ApiError::not_placed());
    }
    let state = app.show.hosts().view().state(&session.record.host);
    Ok(Json(app.verifier.verify(&session.record, state).await?))
}
