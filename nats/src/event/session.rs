//! The life of a session, and what its owner should know about it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::UserId;

/// The runner has made the worktree; the session exists on its host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct SessionOpened {
    /// The project's id: the same repository has the same one on every host.
    pub project: String,
    /// Which agent works here, as configured: `claude`, `rehearsal` …
    pub agent: String,
    pub title: String,
    /// The branch the session works on, `flotilla/<short id>`.
    pub branch: String,
    /// The commit the branch started from, in full hex.
    pub base: String,
    /// The worktree on the host, absolute.
    pub worktree: String,
    /// Whether the agent runs under a user of its own.
    pub isolated: bool,
    #[serde(default)]
    pub started_by: Option<UserId>,
}

/// The session is now in another state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct SessionState {
    pub state: State,
    /// Why, in a sentence, when it is not plain from what came before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
}

/// Where a session stands. `queued` and `lost` are the coordinator's to say and never stand in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Queued,
    Starting,
    Idle,
    Working,
    Waiting,
    Asleep,
    Lost,
    Ended,
}

/// The last event of a session's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct SessionEnded {
    /// Why, in a sentence: stopped by a person, or what could not be done.
    pub reason: String,
    /// False when the session could never start.
    pub clean: bool,
}

/// Something a person should know and nothing else says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Warning {
    /// A stable name such as `checkout_dirty`.
    pub code: String,
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub hint: Option<String>,
}
