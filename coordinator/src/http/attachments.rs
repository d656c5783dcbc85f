//! Files that people give to a session: stored first, named in a message then.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use nats::event::Attachment;
use serde::Deserialize;

use super::app::App;
use super::body::{Asked, SessionPath, read};
use super::caller::Caller;
use super::error::ApiError;
use crate::api::ErrorBody;
use crate::dispatch::Action;

const BYTES_MAX: usize = 20 * 1024 * 1024;
const NAME_CHARS_MAX: usize = 200;

#[derive(Debug, Deserialize)]
pub struct Named {
    name: String,
}

/// Stores the body as a file. Its type is the request's `Content-Type`, else what its name suggests.
#[utoipa::path(post, path = "/api/sessions/{id}/attachments", tag = "sessions",
    params(("name" = String, Query, description = "The file's name")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Object, description = "The attachment, to be sent with a message"),
        (status = "default", body = ErrorBody)))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    SessionPath(session): SessionPath,
    Asked(named): Asked<Named>,
    request: Request,
) -> Result<(StatusCode, axum::Json<Attachment>), ApiError> {
    let name = file_name(&named.name)?;
    let media_type = media_type(&request, &name);
    let stored = app.placed_session(session).await?;
    let bytes = read(request.into_body(), BYTES_MAX)
        .await
        .map_err(|mut error| {
            if error.status == StatusCode::PAYLOAD_TOO_LARGE {
                error.hint = Some(
                    "Put larger files where the host can fetch them, and say where.".to_owned(),
                );
            }
            error
        })?;
    if bytes.is_empty() {
        return Err(ApiError::invalid("This file is empty.")
            .hint("Send its bytes as the body of the request."));
    }
    let dispatch = app.dispatch.clone();
    app.see_through(async move {
        let host = &stored.record.host;
        let attachment = dispatch.attach(host, name, media_type, &bytes).await?;
        let action = Action {
            action: "attachment.add",
            session: Some(session),
            command: None,
            subject: format!("{}, {} bytes", attachment.name, attachment.bytes),
        };
        dispatch.audit(&caller.actor(), action).await?;
        Ok((StatusCode::CREATED, axum::Json(attachment)))
    })
    .await
}

/// The last part of a path, without anything that could steer a terminal.
fn file_name(asked: &str) -> Result<String, ApiError> {
    let last = asked.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|c| !c.is_control()).collect();
    let name = name.trim();
    if name.is_empty() || name == "." || name == ".." || name.chars().count() > NAME_CHARS_MAX {
        return Err(ApiError::invalid("This is not a file name.")
            .hint("Say ?name=notes.txt, with 1 to 200 characters."));
    }
    Ok(name.to_owned())
}

fn media_type(request: &Request, name: &str) -> String {
    let stated = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let stated = stated.filter(|stated| {
        *stated != "application/octet-stream" && *stated != "application/x-www-form-urlencoded"
    });
    stated.map_or_else(
        || {
            mime_guess::from_path(name)
                .first_or_octet_stream()
                .to_string()
        },
        |stated| stated.chars().take(NAME_CHARS_MAX).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_only_the_last_part_of_a_path() {
        assert_eq!(file_name("../../etc/pass wd").unwrap(), "pass wd");
        assert_eq!(file_name("C:\\bilder\\köln.png").unwrap(), "köln.png");
        for bad in ["", "..", "a/", "\u{7}"] {
            assert_eq!(file_name(bad).unwrap_err().code, "invalid_body", "{bad:?}");
        }
    }
}
