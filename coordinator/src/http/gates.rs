//! Gates: what waits, and what became of it.

use axum::extract::State;
use axum::http::StatusCode;
use nats::canonical::input_hash;
use nats::event::GateOpened;
use nats::ids::{GateId, SessionId};
use serde::Deserialize;

use super::app::App;
use super::body::{Asked, GatePath};
use super::caller::Caller;
use super::error::ApiError;
use crate::api::{ErrorBody, Gate, GateState, Page};
use crate::projection::query;

const LIST_DEFAULT: usize = 100;
const LIST_MAX: usize = 500;

#[derive(Debug, Deserialize)]
pub struct Listing {
    state: Option<GateState>,
    session: Option<SessionId>,
    cursor: Option<GateId>,
    limit: Option<usize>,
}

/// Pending ones oldest first; all others newest first.
#[utoipa::path(get, path = "/api/gates", tag = "gates", params(
    ("state" = Option<GateState>, Query), ("session" = Option<String>, Query),
    ("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query)),
    responses((status = 200, body = Page<Gate>), (status = "default", body = ErrorBody)))]
pub async fn list(
    State(app): State<App>,
    _caller: Caller,
    Asked(listing): Asked<Listing>,
) -> Result<axum::Json<Page<Gate>>, ApiError> {
    let limit = listing.limit.unwrap_or(LIST_DEFAULT).clamp(1, LIST_MAX);
    let filter = query::GateFilter {
        state: listing.state,
        session: listing.session,
        cursor: listing.cursor,
        limit: limit + 1,
    };
    let mut found = app
        .reader
        .read(move |connection| query::gates(connection, &filter))
        .await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found
        .last()
        .filter(|_| more)
        .map(|last| last.id.to_string());
    let items = found
        .iter()
        .filter_map(|stored| app.show.gate(stored))
        .collect();
    Ok(axum::Json(Page { items, next }))
}

/// One gate, whole, with how far its decision has come.
#[utoipa::path(get, path = "/api/gates/{id}", tag = "gates", responses(
    (status = 200, body = Gate), (status = "default", body = ErrorBody)))]
pub async fn show(
    State(app): State<App>,
    _caller: Caller,
    GatePath(id): GatePath,
) -> Result<axum::Json<Gate>, ApiError> {
    let (stored, mut gate) = app.gate(id).await?;
    let object = stored.facts.opened.and_then(|opened| opened.object);
    if let Some(object) = object {
        let data = app.objects.data(&gate.host, &object).await?;
        make_whole(&mut gate, data)?;
    }
    Ok(axum::Json(gate))
}

/// Puts the texts in that were too long to travel. They must be those whose hash the gate has: what a person decides
/// on is what runs.
fn make_whole(gate: &mut Gate, data: serde_json::Value) -> Result<(), ApiError> {
    let whole = serde_json::from_value::<GateOpened>(data);
    match whole {
        Ok(whole) if whole.gate == gate.id && input_hash(&whole.input) == gate.input_hash => {
            gate.input = whole.input;
            gate.questions = whole.questions;
            gate.plan = whole.plan;
            gate.truncated = false;
            Ok(())
        }
        Ok(_) | Err(_) => Err(ApiError::new(
            StatusCode::BAD_GATEWAY,
            "object_unusable",
            "What the host keeps of this approval is not what it asked for.",
        )
        .hint("Deny it, and look at what runs on that host.")),
    }
}
