//! What the agent says of itself: version, model, folder. It says so every turn; only news are passed on.

use serde::{Deserialize, Serialize};

use super::protocol::System;
use crate::agent::AgentEvent;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct About {
    version: Option<String>,
    model: Option<String>,
    /// The folder it works in, as it resolved it.
    pub folder: Option<String>,
}

impl About {
    /// It answered the handshake: always worth telling, the process is new. Older builds tell no version here.
    pub fn greeted(&mut self, version: Option<String>) -> Option<AgentEvent> {
        self.version = version.or_else(|| self.version.take());
        Some(self.ready())
    }

    /// It began a turn.
    pub fn told(&mut self, system: &System) -> Option<AgentEvent> {
        let before = self.clone();
        let replace = |field: &mut Option<String>, told: &Option<String>| {
            if told.is_some() {
                field.clone_from(told);
            }
        };
        replace(&mut self.version, &system.claude_code_version);
        replace(&mut self.model, &system.model);
        replace(&mut self.folder, &system.cwd);
        (before.version != self.version || before.model != self.model).then(|| self.ready())
    }

    /// The model it works with, in the name under which it reckons.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    fn ready(&self) -> AgentEvent {
        AgentEvent::Ready {
            version: self.version.clone(),
            model: self.model.clone(),
        }
    }
}
