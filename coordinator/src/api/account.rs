//! People: the first one, those who sign in, and who is asking.

use nats::ids::UserId;
use nats::record::Role;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// Whether anybody can sign in yet.
#[derive(Debug, Clone, Serialize, TS, ToSchema)]
pub struct SetupStatus {
    /// True until the first person is created with the setup token.
    pub needed: bool,
}

/// The first person. Works once.
#[derive(Clone, Deserialize, TS, ToSchema)]
pub struct SetupRequest {
    /// From the link that the first run prints.
    pub token: String,
    pub email: String,
    /// At least ten characters.
    pub password: String,
    pub name: String,
}

#[derive(Clone, Deserialize, TS, ToSchema)]
pub struct LoginRequest {
    pub email: String,
    pub password: String,
}

/// Who is asking.
#[derive(Debug, Clone, Serialize, TS, ToSchema)]
pub struct Me {
    #[schema(value_type = String)]
    pub id: UserId,
    pub email: String,
    pub name: String,
    #[schema(value_type = String)]
    pub role: Role,
}
