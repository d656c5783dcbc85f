//! A session's events: a page of them as JSON, or all that follow as a stream.

use std::convert::Infallible;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use nats::event::ObjectReference;
use nats::ids::SessionId;
use serde::Deserialize;
use serde_json::Value;

use super::app::App;
use super::body::{Asked, SessionPath, unknown_session};
use super::caller::Caller;
use super::error::ApiError;
use crate::api::{ErrorBody, EventRow, LiveRow, Page, StreamBegins};
use crate::live::Frame;
use crate::projection::query;

/// What a client without a cursor gets, of a socket or a stream: enough to show how a session stands.
pub(super) const TAIL: usize = 200;
const PAGE_DEFAULT: usize = 200;
const PAGE_MAX: usize = 1000;

#[derive(Debug, Deserialize)]
pub struct Span {
    after: Option<u64>,
    before: Option<u64>,
    limit: Option<usize>,
}

/// Events after, or before, a seq. With `Accept: text/event-stream`: all after it, then live ones for ever; `id:` is
/// the seq, and what is not kept comes as `event: live` without one. A stream without `after` and `Last-Event-ID`
/// begins with the tail: first `event: subscribed` says from where to where it goes, then come its events; older ones
/// are paged with `before`. `after=0` streams everything.
#[utoipa::path(get, path = "/api/sessions/{id}/events", tag = "sessions", params(
    ("after" = Option<u64>, Query), ("before" = Option<u64>, Query), ("limit" = Option<usize>, Query, description = "Clamped, never refused")),
    responses((status = 200, body = Page<EventRow>), (status = "default", body = ErrorBody)))]
pub async fn list(
    State(app): State<App>,
    _caller: Caller,
    SessionPath(session): SessionPath,
    Asked(span): Asked<Span>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    app.session(session).await?;
    if wants_stream(&headers) {
        let last = headers
            .get("last-event-id")
            .and_then(|id| id.to_str().ok())
            .and_then(|id| id.parse().ok());
        let after = last.or(span.after);
        let keep_alive = KeepAlive::default();
        return Ok(Sse::new(stream(app, session, after))
            .keep_alive(keep_alive)
            .into_response());
    }
    page(&app, session, &span)
        .await
        .map(IntoResponse::into_response)
}

/// One event with the whole of its data, also where that was too big to travel.
#[utoipa::path(get, path = "/api/sessions/{id}/events/{seq}", tag = "sessions", responses(
    (status = 200, body = EventRow), (status = "default", body = ErrorBody)))]
pub async fn show(
    State(app): State<App>,
    _caller: Caller,
    Path((id, seq)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let session: SessionId = id.parse().map_err(|_| unknown_session(&id))?;
    let stored = app.session(session).await?;
    let missing = || {
        ApiError::not_found("unknown_event", format!("This session has no event {seq}."))
            .hint("GET /api/sessions/{id}/events lists them.")
    };
    let number: u64 = seq.parse().map_err(|_| missing())?;
    let after = number.checked_sub(1).ok_or_else(missing)?;
    let found = app
        .reader
        .read(move |connection| query::events_after(connection, session, after, 1))
        .await?;
    let mut rows = found.rows.into_iter();
    let (_, row) = rows
        .find(|(found, _)| *found == number)
        .ok_or_else(missing)?;
    let mut event: Value =
        serde_json::from_str(row.text()).map_err(|error| ApiError::internal(&error))?;
    let object = event
        .as_object_mut()
        .and_then(|fields| fields.remove("object"));
    if let Some(object) =
        object.and_then(|object| serde_json::from_value::<ObjectReference>(object).ok())
    {
        event["data"] = app.objects.data(&stored.record.host, &object).await?;
    }
    Ok(Json(event))
}

async fn page(
    app: &App,
    session: SessionId,
    span: &Span,
) -> Result<Json<Page<EventRow>>, ApiError> {
    let limit = span.limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
    let (after, before) = (span.after, span.before);
    let (events, last) = app
        .reader
        .read(move |connection| {
            let last = query::session(connection, session)?.map_or(0, |session| session.last_seq());
            let events = match (after, before) {
                (None, Some(before)) => query::events_before(connection, session, before, limit)?,
                _ => query::events_after(connection, session, after.unwrap_or(0), limit)?,
            };
            Ok((events, last))
        })
        .await?;
    let next = match (after, before) {
        (None, Some(_)) => events.first().filter(|first| *first > 1),
        _ => events.last().filter(|seq| *seq < last),
    };
    Ok(Json(Page {
        next: next.map(|seq| seq.to_string()),
        items: events.into_rows(),
    }))
}

/// Replay, then live. Registered before the first page is read, so that nothing falls between the two.
fn stream(
    app: App,
    session: SessionId,
    after: Option<u64>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    async_stream::stream! {
        let mut watcher = app.hub.watcher();
        watcher.watch(session);
        let mut after = match after {
            Some(after) => after,
            None => {
                let read = app.reader.read(move |connection| query::events_before(connection, session, u64::MAX, TAIL)).await;
                let Ok(tail) = read.inspect_err(|error| tracing::error!(%error, "a stream ends early")) else { return };
                let to = tail.last().unwrap_or(0);
                yield Ok(subscribed(StreamBegins { session, from: tail.first().unwrap_or(to + 1), to }));
                for (seq, row) in tail.rows {
                    yield Ok(stored(seq, &row));
                }
                to
            }
        };
        loop {
            let read = app.reader.read(move |connection| query::events_after(connection, session, after, PAGE_MAX)).await;
            // A client that is cut off comes back with its last id.
            let Ok(events) = read.inspect_err(|error| tracing::error!(%error, "a stream ends early")) else { return };
            if events.rows.is_empty() {
                break;
            }
            for (seq, row) in events.rows {
                after = seq;
                yield Ok(stored(seq, &row));
            }
        }
        for row in app.written.snapshots(session) {
            yield Ok(live(&row));
        }
        loop {
            let frame = tokio::select! {
                frame = watcher.next() => frame,
                () = app.shutdown.cancelled() => None,
            };
            match frame {
                None => return,
                Some(Frame::Events(batch)) => {
                    for (seq, row) in batch.after(after) {
                        yield Ok(stored(*seq, row));
                    }
                    after = batch.rows.last().map_or(after, |(seq, _)| after.max(*seq));
                }
                Some(Frame::Live(batch)) => {
                    for row in &batch.rows {
                        yield Ok(live(row));
                    }
                }
                Some(Frame::Fleet(_) | Frame::Status(_)) => {}
            }
        }
    }
}

fn subscribed(begins: StreamBegins) -> Event {
    Event::default()
        .event("subscribed")
        .json_data(begins)
        .unwrap_or_default()
}

fn stored(seq: u64, row: &EventRow) -> Event {
    Event::default().id(seq.to_string()).data(row.text())
}

fn live(row: &LiveRow) -> Event {
    Event::default()
        .event("live")
        .json_data(row)
        .unwrap_or_default()
}

fn wants_stream(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/event-stream"))
}
