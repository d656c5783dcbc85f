//! What people say to a session.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use nats::Timestamp;
use nats::command::{MESSAGE_SEND, MessageSend};
use nats::ids::{CommandId, SessionId, UserId};
use nats::record::{EarlyMessage, SessionRecord};

use super::app::App;
use super::body::{Json, SessionPath, too_large, unknown_session};
use super::caller::Caller;
use super::error::ApiError;
use crate::api::{Accepted, ErrorBody, MessageRequest, WaitingMessage};
use crate::dispatch::{Dispatch, Early};
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
    let is_early = stored.last_seq() == 0;
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
    let dispatch = app.dispatch.clone();
    app.see_through(async move {
        let by = caller.person.user;
        if is_early {
            say_early(&dispatch, &stored.record, id, command, by).await?;
        } else {
            // What was said before comes first, also when it is this coordinator that sends it.
            dispatch.send_early(&stored.record).await?;
            dispatch
                .command(&stored.record, id, command.into(), by)
                .await?;
        }
        let action = Caller::action(MESSAGE_SEND, session, id, subject);
        dispatch.audit(&caller.actor(), action).await?;
        Ok((StatusCode::ACCEPTED, axum::Json(Accepted { id })))
    })
    .await
}

/// Keeps what is said before the host has begun. A host that has the session is told as well: it may be about to begin,
/// and takes each message once.
async fn say_early(
    dispatch: &Dispatch,
    record: &SessionRecord,
    id: CommandId,
    message: MessageSend,
    by: UserId,
) -> Result<(), ApiError> {
    let early = EarlyMessage {
        id,
        by,
        at: Timestamp::now(),
        message,
    };
    match dispatch.keep_early(record.session, &early).await? {
        Early::Kept(record) if record.placement.queued_since.is_some() => Ok(()),
        Early::Kept(record) => Ok(dispatch
            .command(&record, id, early.message.into(), by)
            .await?),
        Early::TooMuch => Err(ApiError::conflict(
            "too_much_waits",
            "Too much waits for this session already.",
        )
        .hint("Send it once the session has begun.")),
    }
}

/// What a message says that its host has not taken yet. Once it has, the session's log has it.
#[utoipa::path(get, path = "/api/sessions/{id}/messages/{command}", tag = "sessions", responses(
    (status = 200, body = WaitingMessage), (status = "default", body = ErrorBody)))]
pub async fn show(
    State(app): State<App>,
    _caller: Caller,
    Path((session, command)): Path<(String, String)>,
) -> Result<axum::Json<WaitingMessage>, ApiError> {
    let missing = || {
        ApiError::not_found(
            "unknown_message",
            format!("No message `{command}` waits for its host."),
        )
        .hint("One that was delivered is in the session's events.")
    };
    let id: SessionId = session.parse().map_err(|_| unknown_session(&session))?;
    let command_id: CommandId = command.parse().map_err(|_| missing())?;
    let stored = app.session(id).await?;
    let message = app
        .dispatch
        .waiting_message(&stored.record, command_id)
        .await?
        .ok_or_else(missing)?;
    Ok(axum::Json(WaitingMessage {
        id: command_id,
        text: message.text,
        delivery: message.delivery,
        attachments: message.attachments,
    }))
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
