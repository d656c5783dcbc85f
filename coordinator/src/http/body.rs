//! Reading what a request brings: bodies with a bound, JSON, queries and ids in the path, each refused in words.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use nats::ids::{GateId, SessionId};
use serde::de::DeserializeOwned;

use super::error::ApiError;

/// Of any JSON body; texts within have bounds of their own. JSON may write a character in six bytes.
const JSON_BYTES_MAX: usize = 2 * 1024 * 1024;
/// What is read and thrown away of a body that is too big, so that the refusal reaches a client that is still
/// sending: closing on it would look like a broken connection.
const DRAINED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A JSON body, whatever its content type says.
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let bytes = read(request.into_body(), JSON_BYTES_MAX).await?;
        parse(&bytes).map(Json)
    }
}

/// A JSON body that may be left out.
pub struct OptionalJson<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let bytes = read(request.into_body(), JSON_BYTES_MAX).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(T::default()));
        }
        parse(&bytes).map(Self)
    }
}

/// What follows the `?`.
pub struct Asked<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Query::from_request_parts(parts, state)
            .await
            .map(|Query(asked)| Self(asked))
            .map_err(|error| {
                ApiError::new(
                    StatusCode::BAD_REQUEST,
                    "invalid_query",
                    format!("The query makes no sense: {}.", error.body_text()),
                )
            })
    }
}

/// The session that the path names.
pub struct SessionPath(pub SessionId);

impl<S: Send + Sync> FromRequestParts<S> for SessionPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let text = path(parts, state).await?;
        text.parse().map(Self).map_err(|_| unknown_session(&text))
    }
}

/// The gate that the path names.
pub struct GatePath(pub GateId);

impl<S: Send + Sync> FromRequestParts<S> for GatePath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let text = path(parts, state).await?;
        text.parse().map(Self).map_err(|_| unknown_gate(&text))
    }
}

pub fn unknown_session(id: &dyn std::fmt::Display) -> ApiError {
    ApiError::not_found("unknown_session", format!("There is no session `{id}`."))
        .hint("GET /api/sessions lists them; an id looks like `ses_` and 32 hex digits.")
}

pub fn unknown_gate(id: &dyn std::fmt::Display) -> ApiError {
    ApiError::not_found("unknown_gate", format!("There is no approval `{id}`."))
        .hint("GET /api/gates?state=pending lists those that wait; an id looks like `gate_` and 32 hex digits.")
}

/// Reads a body of at most `bytes_max`.
pub async fn read(body: Body, bytes_max: usize) -> Result<Bytes, ApiError> {
    let mut chunks = body.into_data_stream();
    let mut whole = BytesMut::new();
    let mut total = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| {
            ApiError::new(
                StatusCode::BAD_REQUEST,
                "broken_body",
                "The request broke off before its end.",
            )
            .hint("Send it again.")
        })?;
        total += chunk.len();
        if total <= bytes_max {
            whole.extend_from_slice(&chunk);
        } else if total > DRAINED_BYTES_MAX {
            break;
        }
    }
    if total > bytes_max {
        return Err(too_large(bytes_max));
    }
    Ok(whole.freeze())
}

/// Too much in one request.
pub fn too_large(bytes_max: usize) -> ApiError {
    let allowed = if bytes_max >= 1024 * 1024 {
        format!("{} MB", bytes_max / (1024 * 1024))
    } else {
        format!("{} KB", bytes_max / 1024)
    };
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", format!("This is larger than the {allowed} that fit here."))
        .hint("Long text is best attached as a file: POST /api/sessions/{id}/attachments?name=NAME, then send a message with it.")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => {
            ApiError::invalid(format!("The body is not what is expected here: {error}."))
                .hint("GET /api/openapi.json describes every body.")
        }
        _ => ApiError::new(
            StatusCode::BAD_REQUEST,
            "malformed_body",
            format!("The body is not JSON: {error}."),
        )
        .hint("Send a JSON object in UTF-8."),
    })
}

async fn path<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<String, ApiError> {
    Path::<String>::from_request_parts(parts, state)
        .await
        .map(|Path(text)| text)
        .map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, "invalid_path", error.body_text()))
}
