//! What people say to a session, and the receipt they get.

use nats::event::{Attachment, Delivery};
use nats::ids::CommandId;
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
