//! Who did what.

use axum::Json;
use axum::extract::State;
use nats::ids::SessionId;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::app::App;
use super::body::Asked;
use super::caller::Caller;
use super::error::ApiError;
use crate::api::{AuditRow, ErrorBody, Page};
use crate::projection::query;

const LIST_DEFAULT: usize = 100;
const LIST_MAX: usize = 500;

#[derive(Debug, Deserialize)]
pub struct Listing {
    session: Option<SessionId>,
    cursor: Option<u64>,
    limit: Option<usize>,
}

/// Newest first.
#[utoipa::path(get, path = "/api/audit", tag = "people", params(
    ("session" = Option<String>, Query), ("cursor" = Option<u64>, Query), ("limit" = Option<usize>, Query)),
    responses((status = 200, body = Page<AuditRow>), (status = "default", body = ErrorBody)))]
pub async fn list(
    State(app): State<App>,
    _caller: Caller,
    Asked(listing): Asked<Listing>,
) -> Result<Json<Page<Box<RawValue>>>, ApiError> {
    let limit = listing.limit.unwrap_or(LIST_DEFAULT).clamp(1, LIST_MAX);
    let before = listing.cursor.unwrap_or(u64::MAX);
    let mut found = app
        .reader
        .read(move |connection| query::audit(connection, listing.session, before, limit + 1))
        .await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found
        .last()
        .filter(|_| more)
        .map(|(sequence, _)| sequence.to_string());
    let items = found.into_iter().map(|(_, row)| row).collect();
    Ok(Json(Page { items, next }))
}
