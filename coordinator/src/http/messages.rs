//! What people say to a session.

use axum::extract::State;
use axum::http::StatusCode;
use nats::command::MessageSend;

use super::app::App;
use super::body::{Json, SessionPath, too_large};
use super::caller::Caller;
use super::error::ApiError;
use crate::api::{Accepted, ErrorBody, MessageRequest};
use crate::projection::query;

/// Of one message. What is longer is a file.
const TEXT_BYTES_MAX: usize = 256 * 1024;
const ATTACHMENTS_MAX: usize = 20;

/// Sends a message. 202: it is stored for the host; the session's `message.user` with this id is its receipt.
#[utoipa::path(post, path = "/api/sessions/{id}/messages", tag = "sessions", request_body = MessageRequest, responses(
    (status = 202, body = Accepted), (status = "default", body = ErrorBody)))]
pub async fn send(
    State(app): State<App>,
    caller: Caller,
    SessionPath(session): SessionPath,
    Json(request): Json<MessageRequest>,
) -> Result<(StatusCode, axum::Json<Accepted>), ApiError> {
    check(&request)?;
    let id = request.id.unwrap_or_default();
    if app
        .reader
        .read(move |connection| query::has_receipt(connection, id))
        .await?
    {
        return Ok((StatusCode::ACCEPTED, axum::Json(Accepted { id })));
    }
    let stored = app.open_session(session).await?;
    let command = MessageSend {
        text: request.text,
        delivery: request.delivery,
        attachments: request.attachments,
    };
    let subject = format!(
        "{} bytes, {} attachments",
        command.text.len(),
        command.attachments.len()
    );
    app.dispatch
        .command(&stored.record, id, command.into(), caller.person.user)
        .await?;
    app.dispatch
        .audit(
            &caller.actor(),
            Caller::action("message.send", session, id, subject),
        )
        .await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Accepted { id })))
}

fn check(request: &MessageRequest) -> Result<(), ApiError> {
    check_text(&request.text)?;
    if request.text.trim().is_empty() && request.attachments.is_empty() {
        return Err(
            ApiError::invalid("This message is empty.").hint("Write something, or attach a file.")
        );
    }
    if request.attachments.len() > ATTACHMENTS_MAX {
        return Err(ApiError::invalid("A message has at most 20 attachments.")
            .hint("Send several messages, or an archive."));
    }
    Ok(())
}

/// Whether a text fits into a message.
pub(super) fn check_text(text: &str) -> Result<(), ApiError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(too_large(TEXT_BYTES_MAX));
    }
    Ok(())
}
