//! Who did what, when and from where.

use nats::Timestamp;
use nats::audit::{AuditPublicKey, Origin};
use nats::event::Decision;
use nats::ids::{GateId, SessionId, UserId};
use serde::Serialize;
use ts_rs::TS;
use utoipa::ToSchema;

/// What a coordinator signs the audit with.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SigningKey {
    #[schema(value_type = String)]
    pub key: AuditPublicKey,
}

#[derive(Debug, Clone, PartialEq, Serialize, TS, ToSchema)]
pub struct AuditRow {
    /// Its place in the AUDIT stream; also the cursor of the list.
    pub seq: u64,
    /// Such as `decision`, `session.start`, `message.send`, `login`.
    pub action: String,
    #[schema(value_type = Option<String>)]
    pub by: Option<UserId>,
    pub by_name: Option<String>,
    #[schema(value_type = Option<String>)]
    pub session: Option<SessionId>,
    #[schema(value_type = Option<String>)]
    pub gate: Option<GateId>,
    /// What was acted on, in a few words.
    pub subject: String,
    #[schema(value_type = Option<Object>)]
    pub decision: Option<Decision>,
    #[schema(value_type = String)]
    pub at: Timestamp,
    #[schema(value_type = Object)]
    pub from: Origin,
}
