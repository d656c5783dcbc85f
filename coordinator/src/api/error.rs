//! How every failure looks: a stable code, a sentence, and what to do about it.

use nats::event::Decision;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

#[derive(Debug, Clone, Serialize, Deserialize, TS, ToSchema)]
pub struct ErrorBody {
    pub error: ErrorDetail,
}

#[derive(Debug, Clone, Serialize, Deserialize, TS, ToSchema)]
pub struct ErrorDetail {
    /// Stable: programs look at this.
    pub code: String,
    /// What happened, in a sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// With `already_decided`: the decision that was first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[schema(value_type = Option<Object>)]
    pub decision: Option<Decision>,
}
