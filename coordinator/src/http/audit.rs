//! Who did what.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use nats::ids::SessionId;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::app::App;
use super::body::Asked;
use super::caller::Caller;
use super::error::ApiError;
use crate::api::{AuditRow, ErrorBody, Page, SigningKey};
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

/// The whole audit as it is stored, oldest first, signed up to its end: one line of JSON for each record. What
/// `flotilla audit verify` reads.
#[utoipa::path(get, path = "/api/audit/export", tag = "people", responses(
    (status = 200, body = String, content_type = "application/x-ndjson"), (status = "default", body = ErrorBody)))]
pub async fn export(
    State(app): State<App>,
    _caller: Caller,
) -> Result<impl IntoResponse, ApiError> {
    let lines = app
        .trail
        .export()
        .await
        .map_err(|error| ApiError::unavailable(&error))?;
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Body::from_stream(lines)))
}

/// The public key that this coordinator signs the audit with.
#[utoipa::path(get, path = "/api/audit/key", tag = "people", responses(
    (status = 200, body = SigningKey), (status = "default", body = ErrorBody)))]
pub async fn key(State(app): State<App>, _caller: Caller) -> Json<SigningKey> {
    let key = app.trail.key().clone();
    Json(SigningKey { key })
}
