//! Machines with a runner.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use nats::ids::HostName;

use super::app::App;
use super::caller::Caller;
use super::error::ApiError;
use crate::api::{ErrorBody, HostRevoked, HostRow, Page};
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
    row(&app, &name).map(Json)
}

/// Takes a host out of the fleet: what it signs in with is void from now on, and it is cut off.
#[utoipa::path(post, path = "/api/hosts/{host}/revoke", tag = "fleet", responses(
    (status = 200, body = HostRevoked), (status = "default", body = ErrorBody)))]
pub async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<HostRevoked>, ApiError> {
    caller.must_be_admin()?;
    let host: HostName = name.parse().map_err(|_| unknown(&name))?;
    let (office, dispatch) = (app.office.clone(), app.dispatch.clone());
    app.see_through(async move {
        let actor = caller.actor();
        let (revocation, cut_off) = office.revoke(&host, &actor).await?;
        dispatch
            .audit(&actor, Action::of_fleet("host.revoke", host.as_str()))
            .await?;
        Ok(Json(HostRevoked {
            host,
            revoked_at: revocation.at,
            revoked_by_name: revocation.by_name,
            cut_off,
        }))
    })
    .await
}

/// Takes a revoked host out of the lists, which frees its name. What its sessions said stays.
#[utoipa::path(delete, path = "/api/hosts/{host}", tag = "fleet", responses(
    (status = 204), (status = "default", body = ErrorBody)))]
pub async fn remove(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.must_be_admin()?;
    let host: HostName = name.parse().map_err(|_| unknown(&name))?;
    let (office, dispatch) = (app.office.clone(), app.dispatch.clone());
    app.see_through(async move {
        office.remove(&host).await?;
        dispatch
            .audit(
                &caller.actor(),
                Action::of_fleet("host.remove", host.as_str()),
            )
            .await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// The host as it is shown.
pub(super) fn row(app: &App, name: &str) -> Result<HostRow, ApiError> {
    let view = app.show.hosts().view();
    let mut hosts = view.hosts.values();
    let found = hosts.find(|host| host.record.host.as_str() == name);
    found.map(Host::row).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> ApiError {
    ApiError::not_found("unknown_host", format!("There is no host `{name}`."))
        .hint("GET /api/hosts lists them.")
}
