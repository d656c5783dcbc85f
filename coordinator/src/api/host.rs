//! Machines with a runner.

use std::collections::BTreeMap;

use nats::Timestamp;
use nats::ids::{HostName, UserId};
use nats::record::{AgentReport, ProjectReport};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// One host: what its runner reported, and whether it is heard of.
#[derive(Debug, Clone, PartialEq, Serialize, TS, ToSchema)]
pub struct HostRow {
    #[schema(value_type = String)]
    pub host: HostName,
    pub state: HostState,
    /// Its last heartbeat, as this coordinator heard it.
    #[schema(value_type = Option<String>)]
    pub heard_at: Option<Timestamp>,
    pub version: String,
    pub operating_system: String,
    #[schema(value_type = String)]
    pub started_at: Timestamp,
    pub isolated: bool,
    #[schema(value_type = Vec<Object>)]
    pub agents: Vec<AgentReport>,
    #[schema(value_type = Vec<Object>)]
    pub projects: Vec<ProjectReport>,
    /// Sessions that may run at once.
    pub slots: u32,
    /// Sessions whose agent runs now: each takes a slot.
    pub sessions: u32,
    /// Sessions that are on it already, were told something, and wait for a slot.
    pub waiting_for_slot: u32,
    /// It takes no new sessions; what it has goes on.
    pub draining: Option<Draining>,
    pub labels: BTreeMap<String, String>,
    pub memory_bytes: u64,
    pub memory_free_bytes: Option<u64>,
    /// Commands that it refused for good since its runner started: forged, stale, or for another host.
    #[ts(type = "number")]
    pub commands_refused: u64,
    /// Since when it is not let in any more.
    #[schema(value_type = Option<String>)]
    pub revoked_at: Option<Timestamp>,
    pub revoked_by_name: Option<String>,
    /// One-minute load average.
    pub load: Option<f64>,
}

/// Since when a host takes no new sessions, and who said so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS, ToSchema)]
pub struct Draining {
    #[schema(value_type = String)]
    pub since: Timestamp,
    #[schema(value_type = String)]
    pub by: UserId,
    pub by_name: String,
}

/// A host that is out of the fleet.
#[derive(Debug, Clone, Serialize, TS, ToSchema)]
pub struct HostRevoked {
    #[schema(value_type = String)]
    pub host: HostName,
    #[schema(value_type = String)]
    pub revoked_at: Timestamp,
    pub revoked_by_name: String,
    /// Whether the NATS servers have been told; else they are as soon as they can be reached.
    pub cut_off: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HostState {
    /// Its heart beats.
    Online,
    /// No heartbeat for two of its intervals while this coordinator itself was connected.
    Silent,
    /// This coordinator has not been connected for long enough to say.
    Unknown,
}
