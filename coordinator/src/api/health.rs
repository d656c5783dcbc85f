//! Whether this coordinator lives, and whether it can serve.

use serde::Serialize;
use ts_rs::TS;
use utoipa::ToSchema;

#[derive(Debug, Clone, Serialize, TS, ToSchema)]
pub struct Health {
    pub version: String,
}

/// Ready = connected to NATS and the projection has caught up with what was stored when it started.
#[derive(Debug, Clone, Serialize, TS, ToSchema)]
pub struct Readiness {
    pub ready: bool,
    pub connected: bool,
    /// Events that are stored and not yet in the projection.
    pub behind: u64,
}
