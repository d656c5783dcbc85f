//! One table of a configuration file, emptied key by key.
//!
//! A derived reader stops at the first problem; this one notes it and goes on, so that a person mends a file once.

use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// What is wrong with a file, a sentence each.
#[derive(Debug, Default)]
pub struct Problems(pub Vec<String>);

/// A table and its name as it stands in the file.
pub struct Section<'p> {
    name: String,
    table: Table,
    problems: &'p mut Problems,
}

impl<'p> Section<'p> {
    /// The file itself.
    pub fn root(table: Table, problems: &'p mut Problems) -> Self {
        Self {
            name: String::new(),
            table,
            problems,
        }
    }

    /// The table under `key`; an empty one when the file has none.
    pub fn section(&mut self, key: &str) -> Section<'_> {
        let table = match self.table.remove(key) {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            Some(_) => {
                self.note(key, "should be a section, written as [name]");
                Table::new()
            }
        };
        let name = if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        };
        Section {
            name,
            table,
            problems: self.problems,
        }
    }

    /// The value under `key`, if there is one and it is what it should be.
    pub fn take<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let value = self.table.remove(key)?;
        match value.try_into() {
            Ok(value) => Some(value),
            Err(error) => {
                self.note(key, error.message());
                None
            }
        }
    }

    /// The keys that nobody took yet.
    pub fn keys(&self) -> Vec<String> {
        self.table.keys().cloned().collect()
    }

    /// Notes what is left: a key that nobody takes is a key that somebody misspelt.
    pub fn end(mut self) {
        for key in self.keys() {
            self.note(&key, "is not something that can be set here");
        }
    }

    fn note(&mut self, key: &str, problem: &str) {
        let place = if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("[{}] {key}", self.name)
        };
        self.problems.0.push(format!("{place}: {problem}"));
    }
}
