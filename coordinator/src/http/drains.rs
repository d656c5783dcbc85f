//! Hosts that take no new sessions.

use axum::Json;
use axum::extract::{Path, State};
use nats::Timestamp;
use nats::ids::HostName;
use nats::record::DrainRecord;
use tokio::time::timeout;

use super::app::App;
use super::caller::Caller;
use super::error::ApiError;
use super::hosts::row;
use super::sessions::SEE_OWN_WRITE;
use crate::api::{ErrorBody, HostRow};
use crate::dispatch::Action;

/// Takes no new sessions from now on. What the host has goes on: turns end, messages and decisions arrive, sessions that
/// sleep wake up. Nothing is moved away from it.
#[utoipa::path(post, path = "/api/hosts/{host}/drain", tag = "fleet", responses(
    (status = 200, body = HostRow), (status = "default", body = ErrorBody)))]
pub async fn drain(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<HostRow>, ApiError> {
    let host = row(&app, &name)?.host;
    let record = DrainRecord {
        host: host.clone(),
        since: Timestamp::now(),
        by: caller.person.user,
        by_name: caller.person.name.clone(),
    };
    let (dispatch, actor) = (app.dispatch.clone(), caller.actor());
    app.see_through(async move {
        if dispatch.drain(&record).await? {
            let action = Action::of_fleet("host.drain", record.host.as_str());
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
    let found = row(&app, &name)?;
    let host = found.host;
    let (dispatch, actor, resumed) = (app.dispatch.clone(), caller.actor(), host.clone());
    app.see_through(async move {
        dispatch.end_drain(&resumed).await?;
        if found.draining.is_some() {
            let action = Action::of_fleet("host.resume", resumed.as_str());
            dispatch.audit(&actor, action).await?;
        }
        Ok(())
    })
    .await?;
    seen(&app, &host, false).await
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
    row(app, host.as_str()).map(Json)
}
