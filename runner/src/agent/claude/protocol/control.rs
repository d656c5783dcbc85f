//! Requests and their answers, in both directions, beside the conversation.

use serde::Deserialize;
use serde_json::Value;

use super::lenient::{Lenient, lenient};

/// `control_request`: the agent asks us.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct ControlRequest {
    #[serde(deserialize_with = "lenient")]
    pub request_id: String,
    #[serde(deserialize_with = "lenient")]
    pub request: Asking,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Asking {
    #[serde(deserialize_with = "lenient")]
    pub subtype: String,
    #[serde(deserialize_with = "lenient")]
    pub tool_name: String,
    #[serde(deserialize_with = "lenient")]
    pub input: Value,
    #[serde(deserialize_with = "lenient")]
    pub tool_use_id: String,
    #[serde(deserialize_with = "lenient")]
    pub agent_id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub decision_reason: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub decision_reason_type: Option<String>,
}

/// `control_cancel_request`: the agent no longer waits.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct ControlCancel {
    #[serde(deserialize_with = "lenient")]
    pub request_id: String,
}

/// `control_response`: the answer to something we asked, or an echo of an answer of ours.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Controlled {
    #[serde(deserialize_with = "lenient")]
    pub response: ControlResponse,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct ControlResponse {
    #[serde(deserialize_with = "lenient")]
    pub subtype: String,
    #[serde(deserialize_with = "lenient")]
    pub request_id: String,
    #[serde(deserialize_with = "lenient")]
    pub error: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub response: Greeting,
    /// What it still waits for; told in answer to `initialize`.
    #[serde(deserialize_with = "lenient")]
    pub pending_permission_requests: Vec<Lenient<ControlRequest>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Greeting {
    #[serde(deserialize_with = "lenient")]
    pub claude_code_version: Option<String>,
}
