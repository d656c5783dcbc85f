//! Repositories, recognised as the same one on every host.

use nats::ids::HostName;
use serde::Serialize;
use ts_rs::TS;
use utoipa::ToSchema;

use super::HostState;

#[derive(Debug, Clone, Serialize, TS, ToSchema)]
pub struct ProjectRow {
    pub id: String,
    pub name: String,
    pub remote: Option<String>,
    /// Where it is checked out.
    pub hosts: Vec<ProjectHost>,
}

/// One checkout of a project.
#[derive(Debug, Clone, Serialize, TS, ToSchema)]
pub struct ProjectHost {
    #[schema(value_type = String)]
    pub host: HostName,
    pub state: HostState,
    pub path: String,
    pub branch: Option<String>,
    pub head: Option<String>,
    /// Changed or untracked files in the checkout; a session does not see them.
    pub uncommitted: u32,
    /// Why no session can start here, in a sentence.
    pub problem: Option<String>,
}
