//! The limit of an account's usage: reached, and whether the session goes on by itself once it is over.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{TurnId, UserId};
use crate::timestamp::Timestamp;

/// The agent's account may ask its model for nothing more for now. The turn ends with it; the session does not. It
/// stands until the next turn starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct LimitReached {
    #[serde(default)]
    pub turn: Option<TurnId>,
    /// In the agent's words.
    pub message: String,
    /// When it is over, if the agent said so.
    #[serde(default)]
    pub resets_at: Option<Timestamp>,
    /// The session says "continue" by itself then, unless a person says otherwise.
    pub resumes: bool,
}

/// Whether this session goes on by itself after a limit is now another choice than the host's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct LimitChanged {
    pub resumes: bool,
    /// None when nobody chose it as such: an interrupt says as much.
    #[serde(default)]
    pub by: Option<UserId>,
}
