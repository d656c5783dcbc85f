//! Making the next process of a conversation ask again for a call whose agent ended.

use serde_json::Value;

use super::configuration::Dialect;
use super::launch::{LaunchRequest, is_this_program};

/// A tool call that a person was asked about when its agent ended.
#[derive(Debug, Clone, Copy)]
pub struct Unanswered<'a> {
    pub tool_use: &'a str,
    pub tool: &'a str,
    pub input: &'a Value,
}

#[derive(Debug, thiserror::Error)]
pub enum AskAgainError {
    #[error("this agent does not know how")]
    NotKnown,
}

/// To be called after the old process is gone and before the new one starts; calling it twice changes nothing.
pub fn ask_again(
    dialect: Dialect,
    name: &str,
    request: &LaunchRequest<'_>,
    _call: &Unanswered<'_>,
) -> Result<(), AskAgainError> {
    // The rehearsal remembers its open ask by itself.
    if is_this_program(name, request.configuration) {
        return Ok(());
    }
    match dialect {
        Dialect::Claude => Err(AskAgainError::NotKnown),
    }
}
