//! Repositories of the fleet.

use axum::Json;
use axum::extract::State;

use super::app::App;
use super::caller::Caller;
use crate::api::{ErrorBody, Page, ProjectRow};

/// Every project, with where it is checked out.
#[utoipa::path(get, path = "/api/projects", tag = "fleet", responses(
    (status = 200, body = Page<ProjectRow>), (status = "default", body = ErrorBody)))]
pub async fn list(State(app): State<App>, _caller: Caller) -> Json<Page<ProjectRow>> {
    Json(Page::whole(app.show.hosts().view().projects()))
}
