//! What people say to a session, and the receipts they get.

use nats::Timestamp;
use nats::event::{Attachment, Delivery};
use nats::ids::{CommandId, UserId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// A message. The same `id` again changes nothing.
#[derive(Debug, Clone, Deserialize, TS, ToSchema)]
pub struct MessageRequest {
    #[serde(default)]
    #[ts(optional)]
    #[schema(value_type = Option<String>)]
    pub id: Option<CommandId>,
    /// At most 256 KB; what is longer is attached.
    pub text: String,
    #[serde(default)]
    #[ts(optional, as = "Option<Vec<Attachment>>")]
    #[schema(value_type = Vec<Object>)]
    pub attachments: Vec<Attachment>,
    /// `queue` waits for the turn that runs, `steer` goes into it.
    #[serde(default)]
    #[ts(optional, as = "Option<Delivery>")]
    #[schema(value_type = Option<String>)]
    pub delivery: Delivery,
}

/// A command is stored for its host. Its id comes back in the events it causes.
#[derive(Debug, Clone, Serialize, Deserialize, TS, ToSchema)]
pub struct Accepted {
    #[schema(value_type = String)]
    pub id: CommandId,
}

/// A message that is stored for its host and that the host has not taken: accepted, not delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct SentMessage {
    #[schema(value_type = String)]
    pub id: CommandId,
    #[schema(value_type = Option<String>)]
    pub by: Option<UserId>,
    pub by_name: Option<String>,
    /// When it was accepted.
    #[schema(value_type = String)]
    pub at: Timestamp,
}

/// What such a message says.
#[derive(Debug, Clone, Serialize, TS, ToSchema)]
pub struct WaitingMessage {
    #[schema(value_type = String)]
    pub id: CommandId,
    pub text: String,
    #[schema(value_type = String)]
    pub delivery: Delivery,
    #[schema(value_type = Vec<Object>)]
    pub attachments: Vec<Attachment>,
}
