//! Makes the next process ask for the very call at which the last one was killed.
//!
//! The agent has a way of its own to put a call off: a mark in the transcript, after which a process that resumes
//! the conversation asks for that call before anything else, under the same id and with the same input. It drops
//! every other unanswered call of the same message, so the mark is only set when there is none. Owns that mark.
//! Starts nothing, and knows no gate.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::transcript::{self, Line};
use super::{launch, mode};
use crate::agent::{AskAgainError, LaunchRequest, Unanswered};

/// The agent's word for a call that was put off.
const MARK: &str = "hook_deferred_tool";

/// What each line says of its surroundings. The mark says the same as the line of the call.
const SURROUNDINGS: [&str; 6] = [
    "userType",
    "entrypoint",
    "cwd",
    "sessionId",
    "version",
    "gitBranch",
];

/// What is the same wherever it is done.
const PLACELESS: [&str; 2] = ["AskUserQuestion", "ExitPlanMode"];

/// Marks `call` in the transcript, or says why it cannot be asked again. A call that is marked already is left so.
pub fn ask_again(request: &LaunchRequest<'_>, call: &Unanswered<'_>) -> Result<(), AskAgainError> {
    let Some((mut file, mark)) = find(request, call)? else {
        return Ok(());
    };
    append(&mut file, &mark).map_err(AskAgainError::Write)
}

/// Whether `call` could be asked again if its process ended now. Changes nothing.
pub fn can_ask_again(
    request: &LaunchRequest<'_>,
    call: &Unanswered<'_>,
) -> Result<(), AskAgainError> {
    find(request, call).map(|_| ())
}

/// The transcript and the mark that it lacks; none when it lacks none.
fn find(
    request: &LaunchRequest<'_>,
    call: &Unanswered<'_>,
) -> Result<Option<(File, Value)>, AskAgainError> {
    let folder = launch::configuration_folder(request.configuration, request.home);
    let Some(path) = transcript::find(&folder, request.session) else {
        // A rehearsal asks again by itself.
        return if launch::is_rehearsed(request) {
            Ok(None)
        } else {
            Err(AskAgainError::NoTranscript)
        };
    };
    let file = transcript::open_to_append(&path).map_err(AskAgainError::Open)?;
    let ending = Ending::read(&file, call.tool_use).map_err(AskAgainError::Read)?;
    let is_marked = ending.is_marked_alone(call.tool_use)?;
    if !PLACELESS.contains(&call.tool) {
        begins_where_it_was(request, &path, &ending.origin)?;
    }
    if is_marked {
        return Ok(None);
    }
    let mark = mark(call, ending.origin, mode::of(&path).name());
    Ok(Some((file, mark)))
}

/// Forces out what [`ask_again`] will look for. False while it is not written.
pub fn force_out(request: &LaunchRequest<'_>, tool_use: &str) -> io::Result<bool> {
    // A rehearsal forces out by itself.
    if launch::is_rehearsed(request) {
        return Ok(true);
    }
    let folder = launch::configuration_folder(request.configuration, request.home);
    match transcript::find(&folder, request.session) {
        Some(path) => transcript::force_out(&path, tool_use),
        None => Ok(false),
    }
}

/// A command may have taken the agent to another folder, and the next one would be run in the wrong place: what a
/// person decided on is a command in a folder. A worktree that was moved as a whole is the same place.
fn begins_where_it_was(
    request: &LaunchRequest<'_>,
    transcript: &Path,
    origin: &Map<String, Value>,
) -> Result<(), AskAgainError> {
    let Some(folder) = origin.get("cwd").and_then(Value::as_str) else {
        return Ok(());
    };
    let worktree = request.worktree.canonicalize();
    let worktree = worktree.as_deref().unwrap_or(request.worktree);
    if Path::new(folder) == worktree || launch::is_of(transcript, Path::new(folder)) {
        Ok(())
    } else {
        Err(AskAgainError::Elsewhere {
            folder: folder.to_owned(),
        })
    }
}

/// The last message of a conversation, and what came of the calls in it.
#[derive(Debug, Default)]
struct Ending {
    calls: HashSet<String>,
    answered: HashSet<String>,
    /// The line that the call stands in, without what it says.
    origin: Map<String, Value>,
    is_marked: bool,
}

impl Ending {
    /// Reads up to the beginning of the last message. Its calls stand in a line each, with results in between.
    fn read(file: &File, tool_use: &str) -> io::Result<Self> {
        let mut ending = Self::default();
        let mut message = None;
        for line in transcript::backwards(file)? {
            let line = line?;
            match Line::read(&line) {
                Line::Assistant(entry) => {
                    if *message.get_or_insert_with(|| entry.message.id.clone()) != entry.message.id
                    {
                        break;
                    }
                    let calls: HashSet<String> = entry.calls().map(|(id, _)| id).collect();
                    if calls.contains(tool_use) {
                        ending.origin = serde_json::from_slice(&line)?;
                        ending.origin.remove("message");
                    }
                    ending.calls.extend(calls);
                }
                Line::User(entry) => {
                    let is_meta = entry.is_meta;
                    let mut results = entry.results().map(|(id, _)| id).peekable();
                    // A prompt: what stands before it is over, answered or not.
                    if results.peek().is_none() && !is_meta {
                        break;
                    }
                    ending.answered.extend(results);
                }
                Line::Attachment(entry) => {
                    let attachment = entry.attachment;
                    ending.is_marked |= attachment.kind == MARK && attachment.tool_use == tool_use;
                }
                Line::Other => {}
            }
        }
        Ok(ending)
    }

    /// Whether the call is marked. An error when it is not the one call that has no answer.
    fn is_marked_alone(&self, tool_use: &str) -> Result<bool, AskAgainError> {
        if !self.calls.contains(tool_use) {
            return Err(AskAgainError::NotAtTheEnd);
        }
        if self.answered.contains(tool_use) {
            return Err(AskAgainError::Answered);
        }
        match self.calls.difference(&self.answered).count() {
            1 => Ok(self.is_marked),
            calls => Err(AskAgainError::Several { calls }),
        }
    }
}

/// The line that the agent itself would have written.
fn mark(call: &Unanswered<'_>, origin: Map<String, Value>, mode: &str) -> Value {
    let mut mark = json!({
        "parentUuid": origin.get("uuid"),
        "isSidechain": false,
        "attachment": {
            "type": MARK,
            "toolUseID": call.tool_use,
            "toolName": call.tool,
            "toolInput": call.input,
            "hookName": "flotilla",
            "hookEvent": "PreToolUse",
            "permissionMode": mode,
        },
        "type": "attachment",
        "uuid": uuid::Uuid::now_v7(),
        "timestamp": format!("{:.3}", jiff::Timestamp::now()),
    });
    for name in SURROUNDINGS {
        if let Some(value) = origin.get(name) {
            mark[name] = value.clone();
        }
    }
    mark
}

/// Writes `line` to the end and to the disk. Half a line before it is ended, not cut: the agent passes over it, and
/// a whole one that lacks its newline only is not lost. Half of ours is passed over in the same way.
fn append(file: &mut File, line: &Value) -> io::Result<()> {
    let newline = if transcript::is_torn(file)? { "\n" } else { "" };
    file.write_all(format!("{newline}{line}\n").as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
