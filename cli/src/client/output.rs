//! Where things are said: data on stdout, words on stderr.

use std::io::{self, Write};

use serde_json::Value;

use super::clock::Clock;
use super::exit::Error;

/// The two streams, and how the data is to look.
pub struct Output {
    data: Box<dyn Write>,
    words: Box<dyn Write>,
    pub(super) json: bool,
    pub(super) clock: Clock,
}

impl Default for Output {
    /// This process's own streams, in plain words.
    fn default() -> Self {
        Self {
            data: Box::new(io::stdout()),
            words: Box::new(io::stderr()),
            json: false,
            clock: Clock::system(),
        }
    }
}

impl Output {
    /// What was asked for: in words for a person, or whole for a program.
    pub(super) fn answer(
        &mut self,
        whole: &Value,
        words: impl FnOnce(&Clock) -> String,
    ) -> Result<(), Error> {
        let text = if self.json {
            serde_json::to_string_pretty(whole).map_err(|error| Error::Output(error.into()))?
        } else {
            words(&self.clock)
        };
        self.data(&text)
    }

    /// One line or more of data.
    pub(super) fn data(&mut self, text: &str) -> Result<(), Error> {
        writeln!(self.data, "{text}")
            .and_then(|()| self.data.flush())
            .map_err(Error::Output)
    }

    /// Data as it is.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.data
            .write_all(bytes)
            .and_then(|()| self.data.flush())
            .map_err(Error::Output)
    }

    /// A word beside the data. Nobody may be listening, which is no failure.
    pub(super) fn say(&mut self, text: &str) {
        let _ = writeln!(self.words, "{text}");
    }
}
