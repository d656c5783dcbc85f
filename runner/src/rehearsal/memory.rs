//! What the rehearsal remembers of a conversation: one file of JSON lines, written before anything is said.
//!
//! It is what a transcript is to the real agent: after a kill, the same call is asked again under the same id.
//! It keeps prompts, calls and answers, and no output: a rehearsal has nothing to recall it for.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::arguments::{self, Opening};
use super::permission::Call;
use crate::durable;

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("Error: `{0}` is not a session ID")]
    NotAnId(String),
    #[error("Error: Session ID {0} is already in use.")]
    AlreadyInUse(String),
    #[error("No conversation found with session ID: {0}")]
    Unknown(String),
    #[error("could not open the memory `{path}`")]
    Open {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("could not write to the memory")]
    Append(#[source] io::Error),
}

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Entry {
    Turn {
        uuid: Option<String>,
        prompt: String,
    },
    Asked {
        step: usize,
        call: Call,
    },
    Answered {
        answer: Option<String>,
    },
    Ended,
}

/// A call that was asked and never answered: where a killed process was.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Open {
    pub prompt: String,
    pub step: usize,
    pub call: Call,
}

#[derive(Debug)]
pub(super) struct Memory {
    file: File,
    seen: HashSet<String>,
    turns: usize,
    open: Option<Open>,
    last_answer: String,
}

impl Memory {
    /// Opens the memory of the conversation that `opening` names, and says its id.
    pub(super) fn open(folder: &Path, opening: Opening) -> Result<(Self, String), Error> {
        let (id, resumed) = match opening {
            Opening::Fresh => (uuid::Uuid::now_v7().to_string(), false),
            Opening::Named(id) => (id, false),
            Opening::Resumed(id) => (id, true),
        };
        if !arguments::is_plain(&id) {
            return Err(Error::NotAnId(id));
        }
        let path = folder.join(format!("{id}.jsonl"));
        let failed = |source| Error::Open {
            path: path.clone(),
            source,
        };
        let content = match fs::read_to_string(&path) {
            Ok(_) if !resumed => return Err(Error::AlreadyInUse(id)),
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound && resumed => {
                return Err(Error::Unknown(id));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(error)),
        };
        let is_new = content.is_empty();
        fs::create_dir_all(folder).map_err(failed)?;
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .map_err(failed)?;
        if is_new {
            durable::sync_folder(folder).map_err(failed)?;
        }
        if !is_new && !content.ends_with('\n') {
            // Killed while it wrote: what follows must not stick to the torn line.
            file.write_all(b"\n").map_err(failed)?;
        }
        let mut memory = Self {
            file,
            seen: HashSet::new(),
            turns: 0,
            open: None,
            last_answer: String::new(),
        };
        memory.recall(&content);
        Ok((memory, id))
    }

    pub(super) fn turns(&self) -> usize {
        self.turns
    }

    /// The call that a killed process had asked; told once.
    pub(super) fn take_open(&mut self) -> Option<Open> {
        self.open.take()
    }

    /// What was last answered to a question.
    pub(super) fn last_answer(&self) -> &str {
        &self.last_answer
    }

    /// Whether a message with this id is new; from now on it is not.
    pub(super) fn is_new(&mut self, uuid: &str) -> bool {
        self.seen.insert(uuid.to_owned())
    }

    pub(super) fn began(&mut self, uuid: Option<&str>, prompt: &str) -> Result<(), Error> {
        self.turns += 1;
        self.append(&Entry::Turn {
            uuid: uuid.map(str::to_owned),
            prompt: prompt.to_owned(),
        })
    }

    pub(super) fn asked(&mut self, step: usize, call: &Call) -> Result<(), Error> {
        self.append(&Entry::Asked {
            step,
            call: call.clone(),
        })
    }

    /// An answer came. `answer` is its text when the call was a question.
    pub(super) fn answered(&mut self, answer: Option<String>) -> Result<(), Error> {
        if let Some(answer) = &answer {
            self.last_answer.clone_from(answer);
        }
        self.append(&Entry::Answered { answer })
    }

    pub(super) fn ended(&mut self) -> Result<(), Error> {
        self.append(&Entry::Ended)
    }

    fn append(&mut self, entry: &Entry) -> Result<(), Error> {
        let mut line = serde_json::to_vec(entry).map_err(|error| Error::Append(error.into()))?;
        line.push(b'\n');
        // On the disk before anything is said of it: a power cut forgets no call that a person was shown.
        self.file.write_all(&line).map_err(Error::Append)?;
        self.file.sync_data().map_err(Error::Append)
    }

    fn recall(&mut self, content: &str) {
        let mut prompt = String::new();
        // A line that does not parse was torn by the kill; what it said was never acted on.
        for entry in content
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
        {
            match entry {
                Entry::Turn { uuid, prompt: text } => {
                    self.turns += 1;
                    self.seen.extend(uuid);
                    self.open = None;
                    prompt = text;
                }
                Entry::Asked { step, call } => {
                    self.open = Some(Open {
                        prompt: prompt.clone(),
                        step,
                        call,
                    })
                }
                Entry::Answered { answer } => {
                    self.open = None;
                    self.last_answer =
                        answer.unwrap_or_else(|| std::mem::take(&mut self.last_answer));
                }
                Entry::Ended => self.open = None,
            }
        }
    }
}

/// The answers of a question's input in one line, to be used in later steps.
pub(super) fn answer_text(input: &Value) -> Option<String> {
    let answers = input["answers"].as_object()?;
    let texts: Vec<String> = answers
        .values()
        .map(|answer| match answer {
            Value::String(text) => text.clone(),
            Value::Array(labels) => labels
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(","),
            other => other.to_string(),
        })
        .collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call() -> Call {
        Call {
            tool_use: "toolu_1".to_owned(),
            tool: "Bash".to_owned(),
            input: json!({ "command": "true" }),
            description: "true".to_owned(),
        }
    }

    #[test]
    fn an_unanswered_call_is_remembered_and_an_answered_one_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut memory, id) =
            Memory::open(folder.path(), Opening::Named("one".to_owned())).expect("new");
        memory.began(Some("u1"), "run true").expect("written");
        memory.asked(0, &call()).expect("written");
        drop(memory);

        let (mut memory, _) =
            Memory::open(folder.path(), Opening::Resumed(id.clone())).expect("known");
        let open = memory.take_open().expect("the call was open");
        assert_eq!(
            (open.prompt.as_str(), open.step, &open.call),
            ("run true", 0, &call())
        );
        assert!(!memory.is_new("u1"), "its message was seen before");
        memory.answered(Some("A".to_owned())).expect("written");
        drop(memory);

        let (mut memory, _) = Memory::open(folder.path(), Opening::Resumed(id)).expect("known");
        assert_eq!(memory.take_open(), None);
        assert_eq!((memory.turns(), memory.last_answer()), (1, "A"));
    }

    #[test]
    fn a_torn_line_spoils_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let torn = "{\"type\":\"turn\",\"uuid\":null,\"prompt\":\"say a\"}\n{\"type\":\"ask";
        fs::write(folder.path().join("one.jsonl"), torn).expect("written");
        let (mut memory, id) =
            Memory::open(folder.path(), Opening::Resumed("one".to_owned())).expect("known");
        memory.began(None, "say b").expect("written");
        drop(memory);
        let (memory, _) = Memory::open(folder.path(), Opening::Resumed(id)).expect("known");
        assert_eq!(memory.turns(), 2);
    }

    #[test]
    fn an_id_is_used_once_and_resumed_only_when_known() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = |opening| Memory::open(folder.path(), opening).map(|_| ());
        assert!(matches!(
            open(Opening::Resumed("one".to_owned())),
            Err(Error::Unknown(_))
        ));
        assert!(open(Opening::Named("one".to_owned())).is_ok());
        assert!(matches!(
            open(Opening::Named("one".to_owned())),
            Err(Error::AlreadyInUse(_))
        ));
        assert!(matches!(
            open(Opening::Named("../one".to_owned())),
            Err(Error::NotAnId(_))
        ));
    }
}
