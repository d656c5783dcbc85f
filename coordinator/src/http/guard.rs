//! Before any route of the API: is the page one of ours, and do we know enough to answer?

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::{Duration, timeout};

use super::app::App;
use super::error::ApiError;
use crate::auth::check_origin;
use crate::dispatch::PersistError;

pub(super) const SOCKET: &str = "/api/socket";

/// How long a question waits for a coordinator that has just started to read what NATS holds. A wish waits as long as it
/// would for NATS itself.
const START_BOUND: Duration = Duration::from_secs(5);

pub async fn guard(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let is_socket = request.uri().path() == SOCKET;
    check_origin(
        request.method(),
        request.headers(),
        is_socket,
        app.public_url.as_deref(),
    )?;
    wait_for_start(&app, request.method()).await?;
    Ok(next.run(request).await)
}

/// Until all that was stored at the start is known, an answer would say that sessions and people do not exist.
async fn wait_for_start(app: &App, method: &Method) -> Result<(), ApiError> {
    let mut progress = app.gauges.progress.clone();
    if progress.borrow().caught_up {
        return Ok(());
    }
    let ready = async {
        app.people.loaded().await;
        progress
            .wait_for(|progress| progress.caught_up)
            .await
            .is_ok()
    };
    let ready = if method.is_safe() {
        timeout(START_BOUND, ready).await.unwrap_or(false)
    } else {
        match app.dispatch.persist().until(ready).await {
            Err(PersistError::NotInTime) => false,
            waited => waited?,
        }
    };
    if ready {
        return Ok(());
    }
    let now = *app.gauges.progress.borrow();
    let mut starting = if now.connected {
        ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "starting",
            format!(
                "The coordinator is reading what NATS holds; {} events to go.",
                now.behind
            ),
        )
        .hint("Try again in a moment.")
    } else {
        ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "nats_unavailable",
            "The coordinator has just started and cannot reach NATS yet.",
        )
        .hint("See whether nats-server runs and its address is the one configured; hosts and agents go on meanwhile.")
    };
    starting.retry_after = Some(2);
    Err(starting)
}
