//! For machines that look after machines.

use std::fmt::Write as _;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use nats::Timestamp;

use super::app::App;
use super::error::ApiError;
use crate::api::{Health, Readiness};
use crate::projection::{Dropped, query};

/// This process answers.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, body = Health)))]
pub async fn live() -> Json<Health> {
    Json(Health {
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// It can serve: connected, and all that was stored when it started is known.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, body = Readiness), (status = 503, body = Readiness)))]
pub async fn ready(State(app): State<App>) -> (StatusCode, Json<Readiness>) {
    let progress = *app.gauges.progress.borrow();
    let ready = progress.connected && progress.caught_up;
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let readiness = Readiness {
        ready,
        connected: progress.connected,
        behind: progress.behind,
    };
    (status, Json(readiness))
}

/// In the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "health", responses((status = 200, body = String, content_type = "text/plain")))]
pub async fn metrics(State(app): State<App>) -> Result<impl IntoResponse, ApiError> {
    let (waiting, since) = app.reader.read(query::waiting).await?;
    let reminders = app.reader.read(query::reminders).await?;
    // The gate has its host's time: a host whose clock is ahead has waited for no time, not for less than none.
    let longest_ms = since.map_or(0, |since| {
        Timestamp::now().milliseconds() - since.milliseconds()
    });
    let longest_seconds = u64::try_from(longest_ms / 1000).unwrap_or_default();
    let progress = *app.gauges.progress.borrow();
    let (watchers, let_go) = app.hub.counts();
    let mut text = String::new();
    let mut put = |name: &str, kind: &str, value: u64| {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "# TYPE flotilla_{name} {kind}\nflotilla_{name} {value}"
        );
    };
    put("nats_connected", "gauge", u64::from(progress.connected));
    let held = app.dispatch.persist().waiting();
    put("writes_waiting", "gauge", held as u64);
    put("events_behind", "gauge", progress.behind);
    put("events_ingested_total", "counter", app.gauges.events());
    put("gates_waiting", "gauge", waiting);
    put("gate_longest_wait_seconds", "gauge", longest_seconds);
    put("gate_reminders_total", "counter", reminders);
    put("watchers", "gauge", watchers as u64);
    put("watchers_too_slow_total", "counter", let_go);
    let _ = writeln!(text, "# TYPE flotilla_messages_dropped_total counter");
    for (why, name) in [
        (Dropped::Malformed, "malformed"),
        (Dropped::Foreign, "foreign"),
        (Dropped::Double, "double"),
        (Dropped::Gap, "gap"),
    ] {
        let _ = writeln!(
            text,
            "flotilla_messages_dropped_total{{why=\"{name}\"}} {}",
            app.gauges.drops(why)
        );
    }
    let _ = writeln!(text, "# TYPE flotilla_commands_refused gauge");
    for row in app.show.hosts().view().rows() {
        let _ = writeln!(
            text,
            "flotilla_commands_refused{{host=\"{}\"}} {}",
            row.host, row.commands_refused
        );
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text))
}
