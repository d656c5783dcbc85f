//! What changed in the worktree.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct FileChanged {
    /// Relative to the worktree.
    pub path: String,
    #[serde(default)]
    pub old_path: Option<String>,
    pub change: FileChange,
    /// Lines.
    pub added: u32,
    pub removed: u32,
    /// Unified diff since this file's last event; empty for binary files.
    pub patch: String,
    #[serde(default)]
    pub binary: bool,
    /// The patch was cut.
    #[serde(default)]
    pub truncated: bool,
    /// The tool call that did it, when one alone was running.
    #[serde(default)]
    pub tool_use: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FileChange {
    Created,
    Modified,
    Deleted,
    Renamed,
}
