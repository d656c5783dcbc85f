//! A person with a browser: asks at one door, and at the next when nobody is there. Knows HTTP, not what is asked.

use std::cell::Cell;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::fleet::Fleet;

/// What came of a request.
#[derive(Debug)]
pub(super) enum Answer {
    Said(StatusCode, Value),
    /// No connection could be made.
    NobodyThere(String),
    /// A connection was there, and broke before the answer.
    CutOff(String),
}

/// Where a request was not taken, and how.
#[derive(Debug, Clone)]
pub(super) struct Setback {
    pub how: How,
    pub words: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// Somebody said no.
    Refused,
    NobodyThere,
    CutOff,
}

/// Somebody who knows one or more coordinators, and uses them in turn.
pub(super) struct Person<'a> {
    fleet: &'a Fleet,
    doors: Vec<String>,
    next: Cell<usize>,
}

impl<'a> Person<'a> {
    pub(super) fn new(fleet: &'a Fleet, doors: Vec<String>) -> Self {
        Self {
            fleet,
            doors,
            next: Cell::new(0),
        }
    }

    pub(super) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let turn = self.next.get();
        self.next.set(turn + 1);
        let door = &self.doors[turn % self.doors.len()];
        match self.fleet.try_request_at(door, method, path, body).await {
            Ok((status, answer)) => Answer::Said(status, answer),
            Err(error) => {
                let words = format!("{error:?}");
                if error.is_connect() {
                    Answer::NobodyThere(words)
                } else {
                    Answer::CutOff(words)
                }
            }
        }
    }

    /// The body of a successful answer.
    pub(super) async fn get(&self, path: &str) -> Result<Value, String> {
        match self.ask(Method::GET, path, None).await {
            Answer::Said(status, body) if status.is_success() => Ok(body),
            Answer::Said(status, body) => Err(format!("{status}: {body}")),
            Answer::NobodyThere(words) | Answer::CutOff(words) => Err(words),
        }
    }
}
