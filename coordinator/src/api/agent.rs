//! Agents of the fleet: which there are, where they can run, and how to get those that are missing.

use nats::ids::HostName;
use serde::Serialize;
use ts_rs::TS;
use utoipa::ToSchema;

use super::HostState;

#[derive(Debug, Clone, Serialize, TS, ToSchema)]
pub struct AgentRow {
    /// As configured: `claude`, `rehearsal` …
    pub name: String,
    /// What people call it.
    pub title: String,
    /// True when at least one host that is heard of can run it.
    pub available: bool,
    pub hosts: Vec<AgentHost>,
}

#[derive(Debug, Clone, Serialize, TS, ToSchema)]
pub struct AgentHost {
    #[schema(value_type = String)]
    pub host: HostName,
    pub state: HostState,
    pub version: Option<String>,
    /// The program, absolute.
    pub command: Option<String>,
    pub available: bool,
    /// How to get it, when it is not available.
    pub hint: Option<String>,
}
