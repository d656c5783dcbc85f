//! Sessions: asked for, listed, shown.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::StatusCode;
use nats::Timestamp;
use nats::command::MessageSend;
use nats::event::Delivery;
use nats::ids::{HostName, SessionId};
use nats::record::SessionRecord;
use serde::Deserialize;
use tokio::time::Duration;

use super::app::App;
use super::body::{Asked, Json, SessionPath};
use super::caller::Caller;
use super::error::ApiError;
use super::messages::check_text;
use crate::api::{ErrorBody, Page, SessionCreate, SessionRow};
use crate::placement::{self, Placed, Wanted};
use crate::projection::{StoredSession, query};

/// How long an answer waits to show what it has just written.
pub(super) const SEE_OWN_WRITE: Duration = Duration::from_secs(2);
const TITLE_CHARS_MAX: usize = 200;
/// Of a title that is made from the prompt.
const MADE_TITLE_CHARS_MAX: usize = 80;
const LABELS_MAX: usize = 32;
const LIST_DEFAULT: usize = 100;
const LIST_MAX: usize = 500;

/// Starts a session. With an `id` that is known, nothing happens and the session is shown.
#[utoipa::path(post, path = "/api/sessions", tag = "sessions", request_body = SessionCreate, responses(
    (status = 201, body = SessionRow), (status = 200, body = SessionRow, description = "It was there already"),
    (status = "default", body = ErrorBody)))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<SessionCreate>,
) -> Result<(StatusCode, axum::Json<SessionRow>), ApiError> {
    check(&request)?;
    let id = request.id.unwrap_or_default();
    if let Some(known) = app
        .reader
        .read(move |connection| query::session(connection, id))
        .await?
    {
        same_request(&known.record, &request)?;
        return Ok((StatusCode::OK, axum::Json(app.show.session(&known))));
    }
    let placed = place(&app, &request).await?;
    let record = record(id, request.clone(), &placed, &caller);
    // Boxed, because a record with all that goes with it is large.
    Box::pin(app.see_through(make(app.clone(), caller, request, record, placed))).await
}

/// Stores the session and tells its host to begin.
async fn make(
    app: App,
    caller: Caller,
    request: SessionCreate,
    record: SessionRecord,
    placed: Placed,
) -> Result<(StatusCode, axum::Json<SessionRow>), ApiError> {
    let id = record.session;
    if let Some(known) = app.dispatch.create_session(&record).await? {
        // The same request came twice at once; the start is the same command.
        same_request(&known, &request)?;
        app.dispatch.start(&known).await?;
        return Ok((StatusCode::OK, axum::Json(seen(&app, known).await?)));
    }
    let subject = format!(
        "{} in {} on {}: {}",
        record.agent, record.project, record.host, placed.reason
    );
    let action = Caller::action("session.start", id, id.start_command(), subject);
    app.dispatch.audit(&caller.actor(), action).await?;
    app.dispatch.start(&record).await?;
    Ok((StatusCode::CREATED, axum::Json(seen(&app, record).await?)))
}

#[derive(Debug, Deserialize)]
pub struct Listing {
    project: Option<String>,
    host: Option<HostName>,
    /// `active` or `ended`; both when absent.
    state: Option<String>,
    cursor: Option<SessionId>,
    limit: Option<usize>,
}

/// Newest first.
#[utoipa::path(get, path = "/api/sessions", tag = "sessions", params(
    ("project" = Option<String>, Query), ("host" = Option<String>, Query),
    ("state" = Option<String>, Query, description = "`active` or `ended`"),
    ("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query)),
    responses((status = 200, body = Page<SessionRow>), (status = "default", body = ErrorBody)))]
pub async fn list(
    State(app): State<App>,
    _caller: Caller,
    Asked(listing): Asked<Listing>,
) -> Result<axum::Json<Page<SessionRow>>, ApiError> {
    let ended = match listing.state.as_deref() {
        None => None,
        Some("active") => Some(false),
        Some("ended") => Some(true),
        Some(other) => {
            return Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "invalid_query",
                format!("`{other}` is not a filter of sessions."),
            )
            .hint("Use state=active or state=ended."));
        }
    };
    let limit = listing.limit.unwrap_or(LIST_DEFAULT).clamp(1, LIST_MAX);
    let filter = query::SessionFilter {
        project: listing.project,
        host: listing.host,
        ended,
        before: listing.cursor,
        limit: limit + 1,
    };
    let mut found = app
        .reader
        .read(move |connection| query::sessions(connection, &filter))
        .await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found
        .last()
        .filter(|_| more)
        .map(|last| last.id().to_string());
    let items = found
        .iter()
        .map(|stored| app.show.session(stored))
        .collect();
    Ok(axum::Json(Page { items, next }))
}

/// One session.
#[utoipa::path(get, path = "/api/sessions/{id}", tag = "sessions", responses(
    (status = 200, body = SessionRow), (status = "default", body = ErrorBody)))]
pub async fn show(
    State(app): State<App>,
    _caller: Caller,
    SessionPath(id): SessionPath,
) -> Result<axum::Json<SessionRow>, ApiError> {
    let session = app.session(id).await?;
    Ok(axum::Json(app.show.session(&session)))
}

fn check(request: &SessionCreate) -> Result<(), ApiError> {
    if let Some(prompt) = &request.prompt {
        check_text(prompt)?;
    }
    if request
        .title
        .as_ref()
        .is_some_and(|title| title.chars().count() > TITLE_CHARS_MAX)
    {
        return Err(ApiError::invalid("A title has at most 200 characters.")
            .hint("Leave it out to take the first line of the prompt."));
    }
    if request.labels.len() > LABELS_MAX {
        return Err(ApiError::invalid("A session has at most 32 labels.").hint("Take fewer."));
    }
    Ok(())
}

async fn place(app: &App, request: &SessionCreate) -> Result<Placed, ApiError> {
    let counts = app.reader.read(query::sessions_by_host).await?;
    let counts: HashMap<HostName, u32> = counts.into_iter().collect();
    let wanted = Wanted {
        project: &request.project,
        agent: &request.agent,
        host: request.host.as_deref(),
    };
    Ok(placement::place(wanted, &app.show.hosts().view(), &counts)?)
}

fn record(
    id: SessionId,
    request: SessionCreate,
    placed: &Placed,
    caller: &Caller,
) -> SessionRecord {
    let prompt = request.prompt.filter(|text| !text.trim().is_empty());
    let title = request
        .title
        .map(|title| title.trim().to_owned())
        .filter(|title| !title.is_empty());
    SessionRecord {
        session: id,
        host: placed.host.clone(),
        epoch: 1,
        project: placed.project.clone(),
        agent: request.agent,
        title: title.unwrap_or_else(|| made_title(prompt.as_deref())),
        created_at: Timestamp::now(),
        created_by: caller.person.user,
        base: request.base.filter(|base| !base.trim().is_empty()),
        labels: request.labels,
        // Where its events can begin; the beginning of the stream is always true.
        first_seq: 1,
        prompt_id: prompt
            .as_ref()
            .map(|_| request.prompt_id.unwrap_or_default()),
        prompt: prompt.map(|text| MessageSend {
            text,
            delivery: Delivery::Queue,
            attachments: Vec::new(),
        }),
        imported: None,
    }
}

/// The first line of the prompt, not too long.
fn made_title(prompt: Option<&str>) -> String {
    let line = prompt.and_then(|text| text.lines().map(str::trim).find(|line| !line.is_empty()));
    let Some(line) = line else {
        return "New session".to_owned();
    };
    if line.chars().count() <= MADE_TITLE_CHARS_MAX {
        return line.to_owned();
    }
    let cut: String = line.chars().take(MADE_TITLE_CHARS_MAX - 1).collect();
    format!("{}…", cut.trim_end())
}

/// An id that stands for another session is a mistake, and not a second request for the same.
fn same_request(known: &SessionRecord, request: &SessionCreate) -> Result<(), ApiError> {
    let prompt = known
        .prompt
        .as_ref()
        .map_or("", |prompt| prompt.text.as_str());
    let asked = request
        .prompt
        .as_deref()
        .filter(|text| !text.trim().is_empty())
        .unwrap_or_default();
    if known.agent == request.agent && prompt == asked {
        return Ok(());
    }
    Err(ApiError::conflict(
        "session_exists",
        format!("`{}` is another session: {}.", known.session, known.title),
    )
    .hint("Leave `id` out, or make a new one for each session."))
}

/// The row of a session that was just created, as soon as the projection has it.
async fn seen(app: &App, record: SessionRecord) -> Result<SessionRow, ApiError> {
    let id = record.session;
    let stored = app
        .reader
        .wait_for(SEE_OWN_WRITE, move |connection| {
            query::session(connection, id)
        })
        .await?;
    Ok(app
        .show
        .session(&stored.unwrap_or_else(|| StoredSession::new(record))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_first_line_of_the_prompt_and_not_too_long() {
        assert_eq!(made_title(None), "New session");
        assert_eq!(
            made_title(Some("\n  fix the cart \nplease")),
            "fix the cart"
        );
        let long = made_title(Some(&"wörter ".repeat(40)));
        assert!(
            long.ends_with('…') && long.chars().count() <= MADE_TITLE_CHARS_MAX,
            "{long}"
        );
    }
}
