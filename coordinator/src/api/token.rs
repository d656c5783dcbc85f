//! API tokens: how a program gets in.

use nats::Timestamp;
use nats::ids::TokenId;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

#[derive(Debug, Clone, Deserialize, TS, ToSchema)]
pub struct TokenCreate {
    /// What it is for, in a few words.
    pub name: String,
}

/// A new token. Its secret is shown this once and kept nowhere.
#[derive(Clone, Serialize, TS, ToSchema)]
pub struct TokenCreated {
    #[schema(value_type = String)]
    pub id: TokenId,
    pub name: String,
    /// Send it as `Authorization: Bearer …`.
    pub token: String,
    #[schema(value_type = String)]
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, Serialize, TS, ToSchema)]
pub struct TokenRow {
    #[schema(value_type = String)]
    pub id: TokenId,
    pub name: String,
    #[schema(value_type = String)]
    pub created_at: Timestamp,
}
