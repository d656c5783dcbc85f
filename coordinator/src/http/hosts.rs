//! Machines with a runner.

use axum::Json;
use axum::extract::{Path, State};

use nats::Timestamp;
use nats::ids::HostName;
use nats::record::DrainRecord;
use tokio::time::timeout;

use super::app::App;
use super::caller::Caller;
use super::error::ApiError;
use super::sessions::SEE_OWN_WRITE;
use crate::api::{ErrorBody, HostRow, Page};
use crate::dispatch::Action;
use crate::hosts::Host;

/// Every host that has ever reported.
#[utoipa::path(get, path = "/api/hosts", tag = "fleet", responses(
    (status = 200, body = Page<HostRow>), (status = "default", body = ErrorBody)))]
pub async fn list(State(app): State<App>, _caller: Caller) -> Json<Page<HostRow>> {
    Json(Page::whole(app.show.hosts().view().rows()))
}

/// One host.
#[utoipa::path(get, path = "/api/hosts/{host}", tag = "fleet", responses(
    (status = 200, body = HostRow), (status = "default", body = ErrorBody)))]
pub async fn show(
    State(app): State<App>,
    _caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<HostRow>, ApiError> {
    find(&app, &name).map(|host| Json(host.row()))
}

/// Takes no new sessions from now on. What the host has goes on: turns end, messages and decisions arrive, sessions that
/// sleep wake up. Nothing is moved away from it.
#[utoipa::path(post, path = "/api/hosts/{host}/drain", tag = "fleet", responses(
    (status = 200, body = HostRow), (status = "default", body = ErrorBody)))]
pub async fn drain(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<HostRow>, ApiError> {
    let host = find(&app, &name)?.record.host;
    let record = DrainRecord {
        host: host.clone(),
        since: Timestamp::now(),
        by: caller.person.user,
        by_name: caller.person.name.clone(),
    };
    let (dispatch, actor) = (app.dispatch.clone(), caller.actor());
    app.see_through(async move {
        if dispatch.drain(&record).await? {
            let action = action("host.drain", &record.host);
            dispatch.audit(&actor, action).await?;
        }
        Ok(())
    })
    .await?;
    seen(&app, &host, true).await
}

/// Takes new sessions again.
#[utoipa::path(post, path = "/api/hosts/{host}/resume", tag = "fleet", responses(
    (status = 200, body = HostRow), (status = "default", body = ErrorBody)))]
pub async fn resume(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<HostRow>, ApiError> {
    let found = find(&app, &name)?;
    let host = found.record.host;
    let (dispatch, actor, resumed) = (app.dispatch.clone(), caller.actor(), host.clone());
    app.see_through(async move {
        dispatch.end_drain(&resumed).await?;
        if found.drain.is_some() {
            let action = action("host.resume", &resumed);
            dispatch.audit(&actor, action).await?;
        }
        Ok(())
    })
    .await?;
    seen(&app, &host, false).await
}

fn action(action: &'static str, host: &HostName) -> Action {
    Action {
        action,
        session: None,
        command: None,
        subject: host.to_string(),
    }
}

fn find(app: &App, name: &str) -> Result<Host, ApiError> {
    let view = app.show.hosts().view();
    let mut hosts = view.hosts.values();
    let found = hosts.find(|host| host.record.host.as_str() == name);
    found.cloned().ok_or_else(|| {
        ApiError::not_found("unknown_host", format!("There is no host `{name}`."))
            .hint("GET /api/hosts lists them.")
    })
}

/// The host once what was just written of it has come back.
async fn seen(app: &App, host: &HostName, drains: bool) -> Result<Json<HostRow>, ApiError> {
    let mut changes = app.show.hosts().changes();
    let as_written = changes.wait_for(|view| {
        let host = view.hosts.get(host);
        host.is_some_and(|host| host.drain.is_some() == drains)
    });
    // Shown as it is when that takes too long; it is stored all the same.
    let _ = timeout(SEE_OWN_WRITE, as_written).await;
    find(app, host.as_str()).map(|host| Json(host.row()))
}
