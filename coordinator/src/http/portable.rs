//! A session as a file: handed out, and taken in as one that is over.

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tokio::time::Duration;

use super::app::App;
use super::body::SessionPath;
use super::caller::Caller;
use super::error::ApiError;
use crate::api::{ErrorBody, SessionImported};
use crate::dispatch::Action;
use crate::portable::ImportError;
use crate::projection::{StoredSession, query};

/// How long an answer waits until this coordinator has read what it has just stored: thousands of events, maybe.
const SEE_OWN_IMPORT: Duration = Duration::from_secs(10);

/// The whole session as lines of JSON, with its attachments and everything that was too big to travel. It is whole when
/// its last line is an `end`.
#[utoipa::path(get, path = "/api/sessions/{id}/export", tag = "sessions", responses(
    (status = 200, content_type = "application/x-ndjson", body = String), (status = "default", body = ErrorBody)))]
pub async fn export(
    State(app): State<App>,
    _caller: Caller,
    SessionPath(id): SessionPath,
) -> Result<Response, ApiError> {
    let session = app.session(id).await?;
    if session.record.placement.queued_since.is_some() {
        return Err(ApiError::not_placed());
    }
    let lines = app.exporter.clone().export(session.record);
    let mut response = Body::from_stream(lines).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-ndjson"),
    );
    let disposition = format!("attachment; filename=\"{id}.jsonl\"");
    if let Ok(disposition) = HeaderValue::try_from(disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// Takes in what an export wrote, as a session that is over. The same file once more changes nothing; a file that is not
/// whole, in order and as it was written is refused with its first bad line, and nothing of it stays.
#[utoipa::path(post, path = "/api/sessions/import", tag = "sessions",
    request_body(content = String, content_type = "application/x-ndjson"), responses(
    (status = 201, body = SessionImported),
    (status = 200, body = SessionImported, description = "It was imported from the same file before"),
    (status = "default", body = ErrorBody)))]
pub async fn import(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<(StatusCode, Json<SessionImported>), ApiError> {
    let (spool, checked) = app.importer.receive(request.into_body()).await?;
    let work = app.clone();
    app.see_through(async move {
        let by = caller.person.user;
        let imported = work.importer.store(spool, &checked, by).await?;
        let id = imported.record.session;
        if !imported.already {
            let subject = format!(
                "{} events and {} objects of {}",
                checked.end.events, imported.objects, checked.head.host
            );
            let action = Action {
                action: "session.import",
                session: Some(id),
                command: None,
                subject,
            };
            work.dispatch.audit(&caller.actor(), action).await?;
        }
        let all = checked.end.events;
        let seen = work
            .reader
            .wait_for(SEE_OWN_IMPORT, move |connection| {
                Ok(query::session(connection, id)?.filter(|it| it.last_seq() >= all && it.ended()))
            })
            .await?;
        let stored = seen.unwrap_or_else(|| StoredSession::new(imported.record.clone()));
        let status = if imported.already {
            StatusCode::OK
        } else {
            StatusCode::CREATED
        };
        let answer = SessionImported {
            session: work.show.session(&stored),
            events: checked.end.events,
            objects: imported.objects,
            already: imported.already,
        };
        Ok((status, Json(answer)))
    })
    .await
}

impl From<ImportError> for ApiError {
    fn from(error: ImportError) -> Self {
        use crate::portable::SpoolError;
        let nothing = "Nothing of it was imported. Export the session again.";
        let sentence = |text: String| {
            let mut letters = text.chars();
            let first = letters.next().map(|it| it.to_uppercase().to_string());
            format!("{}{}.", first.unwrap_or_default(), letters.as_str())
        };
        match error {
            ImportError::Spool(SpoolError::Bad(bad)) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_export",
                sentence(bad.to_string()),
            )
            .hint(nothing),
            ImportError::Spool(error @ SpoolError::BrokenOff) => Self::new(
                StatusCode::BAD_REQUEST,
                "broken_body",
                sentence(error.to_string()),
            )
            .hint("Send it again."),
            ImportError::Spool(error @ SpoolError::TooLarge) => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                sentence(error.to_string()),
            ),
            ImportError::Spool(error) => Self::internal(&error),
            ImportError::Another { .. } => {
                Self::conflict("session_exists", sentence(error.to_string()))
                    .hint("Nothing was changed.")
            }
            ImportError::OtherObject(_) => {
                Self::conflict("object_exists", sentence(error.to_string())).hint(nothing)
            }
            ImportError::Busy(_) => Self::conflict("import_busy", sentence(error.to_string()))
                .hint("Try again in a moment."),
            ImportError::Dispatch(error) => error.into(),
            ImportError::Event(error) => Self::internal(&error),
            ImportError::Nats(_) | ImportError::Publish(_) => Self::unavailable(&error),
        }
    }
}
