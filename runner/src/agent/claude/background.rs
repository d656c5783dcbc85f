//! Commands and subagents that go on while no turn of the agent's own does.
//!
//! Owns which of them are at work, as far as the process has said. Newer builds tell the whole list whenever it has
//! changed; older ones only the beginning and the end of each. Knows nothing of what they do.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::protocol::System;
use crate::agent::AgentEvent;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Background {
    tasks: BTreeSet<String>,
}

impl Background {
    /// An event when there is work now and was none, or the other way round.
    pub fn told(&mut self, system: &System) -> Option<AgentEvent> {
        let had = !self.tasks.is_empty();
        let task = || system.task_id.clone().unwrap_or_default();
        match system.subtype.as_str() {
            "background_tasks_changed" => {
                let tasks = system.tasks.iter();
                self.tasks = tasks.map(|task| task.task_id.clone()).collect();
            }
            // A subagent that the turn waits for is told of as well.
            "task_started" if system.is_backgrounded != Some(false) => {
                self.tasks.insert(task());
            }
            "task_notification" => {
                self.tasks.remove(&task());
            }
            _ => {}
        }
        let has = !self.tasks.is_empty();
        (had != has).then_some(AgentEvent::WorksInBackground(has))
    }
}
