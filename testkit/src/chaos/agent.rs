//! Whose sessions are struck. Knows how each is configured, and which cells it is worth its time for.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::fault::Fault;
use super::moment::Moment;
use super::power::Machine;
use crate::claude;
use crate::model_endpoint::ModelEndpoint;

/// An agent that follows a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agent {
    Rehearsal,
    /// The real Claude Code, against a scripted model.
    Claude,
}

impl Agent {
    pub const ALL: [Self; 2] = [Self::Rehearsal, Self::Claude];

    /// What a person types after `ONLY=`, and what Flotilla calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rehearsal => "rehearsal",
            Self::Claude => "claude",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|agent| agent.name() == name)
    }

    /// The real agent takes seconds to start and 200 MB: only what it can tell apart from the rehearsal is struck.
    #[must_use]
    pub const fn is_struck(self, fault: Fault, moment: Moment) -> bool {
        match self {
            Self::Rehearsal => true,
            Self::Claude => {
                matches!(
                    fault,
                    Fault::None
                        | Fault::Agent
                        | Fault::Shim
                        | Fault::Runner
                        | Fault::Host
                        | Fault::Power(Machine::Host, _)
                ) && matches!(moment, Moment::GateOpen | Moment::ToolRunning)
            }
        }
    }
}

/// What an agent needs beside Flotilla; it ends with this.
#[derive(Default)]
pub(super) struct Surroundings {
    /// `[agents.…]` of the configuration.
    pub configuration: String,
    _model: Option<ModelEndpoint>,
    _home: Option<TempDir>,
}

impl Surroundings {
    /// With its home in `home`, or in a folder of its own without one.
    pub(super) async fn of(agent: Agent, home: Option<&Path>) -> Self {
        if agent == Agent::Rehearsal {
            return Self::default();
        }
        let model = ModelEndpoint::start().await;
        let own = tempfile::tempdir().expect("a temporary folder");
        let home: PathBuf = home.unwrap_or(own.path()).to_owned();
        Self {
            configuration: claude::section(&home, &model.url()),
            _model: Some(model),
            _home: Some(own),
        }
    }
}
