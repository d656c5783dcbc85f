//! Before any route of the API: is the page one of ours, and do we know enough to answer?

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::{Duration, timeout};

use super::app::App;
use super::error::ApiError;
use crate::auth::check_origin;

pub(super) const SOCKET: &str = "/api/socket";

/// How long a request waits for a coordinator that has just started to read what NATS holds.
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
    wait_for_start(&app).await?;
    Ok(next.run(request).await)
}

/// Until all that was stored at the start is known, an answer would say that sessions and people do not exist.
async fn wait_for_start(app: &App) -> Result<(), ApiError> {
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
    if timeout(START_BOUND, ready).await == Ok(true) {
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
