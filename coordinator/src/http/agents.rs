//! Agents of the fleet.

use axum::Json;
use axum::extract::State;

use super::app::App;
use super::caller::Caller;
use crate::api::{AgentRow, ErrorBody, Page};

/// Every agent, with where it can run and how to get it where it is missing.
#[utoipa::path(get, path = "/api/agents", tag = "fleet", responses(
    (status = 200, body = Page<AgentRow>), (status = "default", body = ErrorBody)))]
pub async fn list(State(app): State<App>, _caller: Caller) -> Json<Page<AgentRow>> {
    Json(Page::whole(app.show.hosts().view().agents()))
}
