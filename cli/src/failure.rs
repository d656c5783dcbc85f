//! What went wrong, for the person at the terminal: one sentence, a hint, an exit code.
//!
//! Errors of the libraries become this at the edge, and only here are their causes put into one line.

use std::error::Error;
use std::fmt::Display;
use std::process::ExitCode;

use crate::terminal;

/// Shown at the end of every `--help` of the commands that end with a [`Failure`].
pub const EXIT_CODES: &str = "\
Exit codes:
   0  done
   1  it failed
   2  the command line is wrong
  64  a configuration file is wrong
  69  something it needs is missing on this machine, or too old
  75  the data folder or a port is taken";

/// Why a command ended, as its exit code tells a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// It was started right and failed.
    Failed = 1,
    /// A configuration file is wrong, or what it names.
    Configuration = 64,
    /// Something it needs on this machine is missing or too old.
    Missing = 69,
    /// Somebody else has what it needs: the folder or the port.
    Taken = 75,
}

/// A command's end that is not success.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    message: String,
    hint: Option<String>,
}

impl Failure {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
        }
    }

    /// What failed, and all that an error says of why.
    pub fn because(what: impl Display, error: &dyn Error) -> Self {
        Self::new(Kind::Failed, format!("{what}: {}", chain(error)))
    }

    /// What the reader can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The sentence alone, for a log line where nothing ends.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Says it and gives the exit code.
    pub fn report(&self) -> ExitCode {
        terminal::word(format_args!("flotilla: {}", self.message));
        if let Some(hint) = &self.hint {
            terminal::word(format_args!("  hint: {hint}"));
        }
        ExitCode::from(self.kind as u8)
    }
}

/// An error and its causes, each said once.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
