//! How an agent is configured: `[agents.<name>]` of the configuration file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One agent. What is not said is found: the program on PATH, the user's own home.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentConfiguration {
    /// The program; looked up on PATH when it has no slash.
    #[serde(default)]
    pub command: Option<String>,
    /// Put before the arguments that the adapter gives.
    #[serde(default)]
    pub args: Vec<String>,
    /// Added to the allow-listed environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The agent's HOME; the user's own when absent, so that an existing login works.
    #[serde(default)]
    pub home: Option<PathBuf>,
}

/// How an agent speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Claude Code's stream-json over stdio; the rehearsal agent speaks it too.
    Claude,
}
