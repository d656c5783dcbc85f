//! What a session changed, file by file, from the events it sent.

use nats::Timestamp;
use nats::event::FileChange;
use serde::Serialize;
use ts_rs::TS;
use utoipa::ToSchema;

#[derive(Debug, Clone, Serialize, TS, ToSchema)]
pub struct SessionDiff {
    /// In the order of their last change.
    pub files: Vec<DiffFile>,
    pub added: u32,
    pub removed: u32,
}

#[derive(Debug, Clone, Serialize, TS, ToSchema)]
pub struct DiffFile {
    /// Relative to the worktree.
    pub path: String,
    pub old_path: Option<String>,
    #[schema(value_type = String)]
    pub change: FileChange,
    pub added: u32,
    pub removed: u32,
    pub binary: bool,
    /// At least one patch was cut.
    pub truncated: bool,
    /// Each one a unified diff since the one before it.
    pub patches: Vec<DiffPatch>,
}

#[derive(Debug, Clone, Serialize, TS, ToSchema)]
pub struct DiffPatch {
    pub seq: u64,
    #[schema(value_type = String)]
    pub at: Timestamp,
    pub patch: String,
    /// The tool call that did it, when one alone was running.
    pub tool_use: Option<String>,
}
