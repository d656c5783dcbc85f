//! Making the next process of a conversation ask again for a call whose agent ended.

use std::io;

use serde_json::Value;

use super::claude;
use super::configuration::Dialect;
use super::launch::{LaunchRequest, is_this_program};

/// A tool call that a person was asked about when its agent ended.
#[derive(Debug, Clone, Copy)]
pub struct Unanswered<'a> {
    pub tool_use: &'a str,
    pub tool: &'a str,
    pub input: &'a Value,
}

/// Why a call cannot be asked again as it was.
#[derive(Debug, thiserror::Error)]
pub enum AskAgainError {
    #[error("the agent had written nothing of this conversation to the disk yet")]
    NoTranscript,
    #[error(
        "its transcript does not end with this call: it came too late to be written, belongs to a subagent, or was left behind"
    )]
    NotAtTheEnd,
    #[error("the agent has a result for this call already")]
    Answered,
    #[error(
        "{calls} calls of one message have no answer, and only a single one can be asked again"
    )]
    Several { calls: usize },
    #[error(
        "it was to be done in `{folder}`, where the agent had gone, and a new process does not begin there"
    )]
    Elsewhere { folder: String },
    #[error("could not open its transcript")]
    Open(#[source] io::Error),
    #[error("could not read the end of its transcript")]
    Read(#[source] io::Error),
    #[error("could not write to its transcript")]
    Write(#[source] io::Error),
}

/// Forces what the next process needs to ask for a call again out to the disk. False while it is not written.
/// It may take as long as a disk takes.
pub fn force_out(
    dialect: Dialect,
    name: &str,
    request: &LaunchRequest<'_>,
    tool_use: &str,
) -> io::Result<bool> {
    if is_this_program(name, request.configuration) {
        return Ok(true);
    }
    match dialect {
        Dialect::Claude => claude::force_out(request, tool_use),
    }
}

/// Whether [`ask_again`] would succeed if the process ended now.
pub fn can_ask_again(
    dialect: Dialect,
    name: &str,
    request: &LaunchRequest<'_>,
    call: &Unanswered<'_>,
) -> Result<(), AskAgainError> {
    if is_this_program(name, request.configuration) {
        return Ok(());
    }
    match dialect {
        Dialect::Claude => claude::can_ask_again(request, call),
    }
}

/// Makes the next process of this conversation ask for `call` again, and for nothing else before it.
///
/// To be called after the old process is gone and before the new one starts; calling it twice changes nothing.
/// It reads and writes the agent's files, and may take as long as a disk takes.
pub fn ask_again(
    dialect: Dialect,
    name: &str,
    request: &LaunchRequest<'_>,
    call: &Unanswered<'_>,
) -> Result<(), AskAgainError> {
    // The rehearsal remembers its open ask by itself.
    if is_this_program(name, request.configuration) {
        return Ok(());
    }
    match dialect {
        Dialect::Claude => claude::ask_again(request, call),
    }
}
