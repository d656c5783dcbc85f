//! The routes of the Messages API that the agents use.
//!
//! Keeps every request for the test's assertions, and counts the mishaps that were played. Any
//! key is accepted and none is kept: there is nothing here to protect.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::conversation::Conversation;
use super::limit::{self, Limit};
use super::message::{self, Part, Reply};
use super::play::play;
use super::{json, sse};

/// How long a stream that is to break stays open when nobody says that the agent has read it.
/// An agent that is slow to read loses what it has not read yet, so this is long.
const BREAK_AFTER: Duration = Duration::from_secs(2);

/// What the routes share with the endpoint's owner.
#[derive(Default)]
pub(super) struct Book {
    requests: Mutex<Vec<Value>>,
    mishaps: Mutex<HashMap<String, usize>>,
    limit: Mutex<Limit>,
    breaks: Notify,
}

impl Book {
    pub(super) fn requests(&self) -> MutexGuard<'_, Vec<Value>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn break_stream(&self) {
        self.breaks.notify_one();
    }

    fn limit(&self) -> MutexGuard<'_, Limit> {
        self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn until_break(self: Arc<Self>) {
        // Whichever comes first.
        let _ = timeout(BREAK_AFTER, self.breaks.notified()).await;
    }

    fn mishaps(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.mishaps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn router(book: Arc<Book>) -> Router {
    Router::new()
        // An agent looks whether anyone is there before it asks.
        .route(
            "/",
            get(|| async { "A scripted model for Flotilla's tests.\n" }),
        )
        // For those who run it as a program: the same that a test gets from its owner.
        .route("/requests", get(requests))
        .route("/v1/messages", post(messages))
        .route("/v1/messages/count_tokens", post(count_tokens))
        .fallback(|| async { refusal(StatusCode::NOT_FOUND) })
        // Whole conversations, with images.
        .layer(DefaultBodyLimit::disable())
        .with_state(book)
}

async fn messages(
    State(book): State<Arc<Book>>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> Response {
    book.requests().push(request.clone());
    if let Some(resets_at) = book.limit().stands() {
        return limit::refusal(resets_at);
    }
    let reply = if is_aside(&request) {
        Reply::Message(vec![Part::text(&aside(&request))])
    } else {
        next(&book, &headers, &request)
    };
    match reply {
        Reply::Refuse { status } => {
            refusal(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        }
        Reply::Limit { seconds } => limit::refusal(book.limit().reached(seconds)),
        Reply::Message(parts) if request["stream"] == true => {
            let events = Body::from_stream(sse::events(&request, parts, book.until_break()));
            (
                [
                    (header::CONTENT_TYPE, "text/event-stream"),
                    (header::CACHE_CONTROL, "no-cache"),
                ],
                events,
            )
                .into_response()
        }
        Reply::Message(parts) => Json(message::whole(&request, &parts)).into_response(),
    }
}

async fn requests(State(book): State<Arc<Book>>) -> Json<Vec<Value>> {
    Json(book.requests().clone())
}

async fn count_tokens(Json(request): Json<Value>) -> Json<Value> {
    Json(json!({"input_tokens": message::input_tokens(&request)}))
}

/// Plays on, and remembers a mishap so that the agent's next try meets what comes after it.
fn next(book: &Book, headers: &HeaderMap, request: &Value) -> Reply {
    let conversation = Conversation::read(request);
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let key = format!(
        "{session} {agent} {position:?} {played}",
        session = header("x-claude-code-session-id"),
        agent = header("x-claude-code-agent-id"),
        position = conversation.prompt_position,
        played = conversation.played,
    );
    let mut mishaps = book.mishaps();
    let met = mishaps.entry(key).or_default();
    let reply = play(&conversation, *met);
    let is_mishap = match &reply {
        Reply::Refuse { .. } | Reply::Limit { .. } => true,
        Reply::Message(parts) => parts
            .iter()
            .any(|part| matches!(part, Part::Cut | Part::CutAfter)),
    };
    *met += usize::from(is_mishap);
    reply
}

/// A request without tools asks for a title or a summary, beside the conversation.
fn is_aside(request: &Value) -> bool {
    json::array(&request["tools"]).is_empty()
}

/// A short plain answer, in the shape that was asked for if there was one.
fn aside(request: &Value) -> String {
    const ANSWER: &str = "A scripted session";
    match request["output_config"]["format"]["schema"]["properties"].as_object() {
        Some(fields) => Value::Object(
            fields
                .keys()
                .map(|field| (field.clone(), ANSWER.into()))
                .collect(),
        )
        .to_string(),
        None => ANSWER.to_owned(),
    }
}

fn refusal(status: StatusCode) -> Response {
    let (kind, text) = match status.as_u16() {
        400 => ("invalid_request_error", "The script refuses this request"),
        401 => ("authentication_error", "The script refuses this key"),
        403 => ("permission_error", "The script forbids this"),
        404 => ("not_found_error", "The script has no such thing"),
        413 => ("request_too_large", "The script finds this too large"),
        429 => ("rate_limit_error", "The script asks to slow down"),
        529 => ("overloaded_error", "Overloaded"),
        _ => ("api_error", "The script breaks here"),
    };
    (
        status,
        Json(json!({"type": "error", "error": {"type": kind, "message": text}})),
    )
        .into_response()
}
