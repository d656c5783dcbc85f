//! Machines with a runner.

use axum::Json;
use axum::extract::{Path, State};

use super::app::App;
use super::caller::Caller;
use super::error::ApiError;
use crate::api::{ErrorBody, HostRow, Page};

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
    let view = app.show.hosts().view();
    let found = view
        .hosts
        .values()
        .find(|host| host.record.host.as_str() == name);
    found.map(|host| Json(host.row())).ok_or_else(|| {
        ApiError::not_found("unknown_host", format!("There is no host `{name}`."))
            .hint("GET /api/hosts lists them.")
    })
}
