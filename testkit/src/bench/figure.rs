//! One row of the table: what was measured, what stands beside it, and what is wanted.

use serde::{Deserialize, Serialize};

/// A figure as it is told. Numbers stay numbers, so that runs can be compared by a program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The letter of its table, such as `a`.
    pub topic: String,
    /// What was measured, such as `delta on its way, p50`.
    pub name: String,
    pub value: f64,
    pub unit: String,
    /// The same of the bare agent or the raw engine, in the same run.
    pub beside: Option<f64>,
    /// How many measurements it is made of.
    pub count: usize,
    /// What is wanted, in words, and whether it is so.
    pub target: Option<(String, bool)>,
}

impl Figure {
    pub(super) fn new(topic: &str, name: impl Into<String>, value: f64, unit: &str) -> Self {
        Self {
            topic: topic.to_owned(),
            name: name.into(),
            value,
            unit: unit.to_owned(),
            beside: None,
            count: 1,
            target: None,
        }
    }

    pub(super) fn beside(mut self, value: f64) -> Self {
        self.beside = Some(value);
        self
    }

    pub(super) const fn of(mut self, count: usize) -> Self {
        self.count = count;
        self
    }

    pub(super) fn wanted(mut self, words: impl Into<String>, reached: bool) -> Self {
        self.target = Some((words.into(), reached));
        self
    }

    /// As a person reads it: a number of a few digits.
    #[must_use]
    pub fn told(&self, value: f64) -> String {
        let unit = &self.unit;
        match value.abs() {
            it if it >= 100.0 => format!("{value:.0} {unit}"),
            it if it >= 10.0 => format!("{value:.1} {unit}"),
            _ => format!("{value:.2} {unit}"),
        }
    }
}
