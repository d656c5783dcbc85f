//! Sessions: asked for, listed, shown.

use axum::extract::State;
use axum::http::StatusCode;
use nats::Timestamp;
use nats::command::MessageSend;
use nats::event::Delivery;
use nats::ids::{HostName, SessionId};
use nats::record::{Placement, SessionRecord};
use serde::Deserialize;
use tokio::time::{Duration, timeout};

use super::app::App;
use super::body::{Asked, Json, SessionPath};
use super::caller::Caller;
use super::error::ApiError;
use super::messages::check_text;
use crate::api::{ErrorBody, Page, SessionCreate, SessionRow};
use crate::placement::{self, Choice, Request, Wanted};
use crate::projection::{StoredSession, query};
use crate::queue::Picture;

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
    let (wanted, choice) = place(&app, id, &request, &caller).await?;
    let record = record(id, request.clone(), wanted, &choice, &caller);
    // Boxed, because a record with all that goes with it is large.
    Box::pin(app.see_through(make(app.clone(), caller, request, record, choice))).await
}

/// Stores the session and tells its host to begin, if there is room on one.
async fn make(
    app: App,
    caller: Caller,
    request: SessionCreate,
    record: SessionRecord,
    choice: Choice,
) -> Result<(StatusCode, axum::Json<SessionRow>), ApiError> {
    let id = record.session;
    if let Some(known) = app.dispatch.create_session(&record).await? {
        // The same request came twice at once; the start is the same command.
        same_request(&known, &request)?;
        if known.placement.queued_since.is_none() {
            app.dispatch.start(&known).await?;
        }
        return Ok((StatusCode::OK, axum::Json(seen(&app, known).await?)));
    }
    let (agent, project) = (&record.agent, &record.project);
    let subject = match &choice {
        Choice::On(placed) => format!("{agent} in {project} on {}: {}", placed.host, placed.reason),
        Choice::Waits(_) => format!("{agent} in {project}, waits for a host"),
    };
    let action = Caller::action("session.start", id, id.start_command(), subject);
    app.dispatch.audit(&caller.actor(), action).await?;
    if !record.is_queued() {
        app.dispatch.start(&record).await?;
    }
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
    if request.labels.len() > LABELS_MAX || request.host_labels.len() > LABELS_MAX {
        return Err(ApiError::invalid("A session has at most 32 labels.").hint("Take fewer."));
    }
    Ok(())
}

/// Where it goes now. Others that wait and fit come first: whoever asks does not step before them.
async fn place(
    app: &App,
    id: SessionId,
    request: &SessionCreate,
    caller: &Caller,
) -> Result<(Wanted, Choice), ApiError> {
    // A coordinator that has just started hears in a moment which hosts drain.
    let mut changes = app.show.hosts().changes();
    let _ = timeout(SEE_OWN_WRITE, changes.wait_for(|view| view.drains_known)).await;
    let mut picture = Picture::look(&app.reader, app.show.hosts(), &app.full).await?;
    let wanted = placement::resolve(
        &request.project,
        &request.agent,
        request.host.as_deref(),
        request.host_labels.clone(),
        &picture.view,
    )?;
    // What no host could ever do is refused, and does not wait.
    placement::choose(&wanted, &picture.view, &picture.loads)?;
    picture.requests.push(Request {
        session: id,
        by: caller.person.user,
        since: Timestamp::now(),
        wanted: wanted.clone(),
    });
    let mut plan = picture.plan();
    let placed = plan.placed.iter().position(|(session, _)| *session == id);
    let choice = match placed {
        Some(at) => Choice::On(plan.placed.swap_remove(at).1),
        None => Choice::Waits(Vec::new()),
    };
    Ok((wanted, choice))
}

fn record(
    id: SessionId,
    request: SessionCreate,
    wanted: Wanted,
    choice: &Choice,
    caller: &Caller,
) -> SessionRecord {
    let now = Timestamp::now();
    let (host, queued_since, reason) = match choice {
        Choice::On(placed) => (placed.host.clone(), None, Some(placed.reason.clone())),
        Choice::Waits(_) => (HostName::queued(), Some(now), None),
    };
    let prompt = request.prompt.filter(|text| !text.trim().is_empty());
    let title = request
        .title
        .map(|title| title.trim().to_owned())
        .filter(|title| !title.is_empty());
    SessionRecord {
        session: id,
        host,
        epoch: 1,
        project: wanted.project,
        agent: request.agent,
        title: title.unwrap_or_else(|| made_title(prompt.as_deref())),
        created_at: now,
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
        placement: Placement {
            queued_since,
            only_on: wanted.only_on,
            host_labels: wanted.host_labels,
            reason,
            ..Placement::default()
        },
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
