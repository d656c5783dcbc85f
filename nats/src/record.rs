//! Records: the latest truth about hosts, sessions and people, kept in key-value buckets and changed by compare-and-set.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::command::MessageSend;
use crate::ids::{CommandId, HostName, SessionId, TokenId, UserId};
use crate::timestamp::Timestamp;

/// What a runner reports of its host. Key: the host's name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct HostRecord {
    pub host: HostName,
    /// The build of the runner.
    pub version: String,
    pub operating_system: String,
    pub started_at: Timestamp,
    /// Whether agents run under users of their own.
    pub isolated: bool,
    pub agents: Vec<AgentReport>,
    pub projects: Vec<ProjectReport>,
    /// Sessions that may run at once.
    pub slots: u32,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    #[ts(type = "number")]
    pub memory_bytes: u64,
}

/// One agent that this host can run, or what is missing for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct AgentReport {
    /// As configured: `claude`, `rehearsal` …
    pub name: String,
    /// What people call it.
    pub title: String,
    #[serde(default)]
    pub version: Option<String>,
    /// The program, absolute.
    #[serde(default)]
    pub command: Option<String>,
    pub available: bool,
    /// How to get it, when it is not available.
    #[serde(default)]
    pub hint: Option<String>,
}

/// One repository that this host has checked out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ProjectReport {
    /// The same repository has the same id on every host: from its remote, else its root commit, else its path.
    pub id: String,
    pub name: String,
    /// Absolute, on that host.
    pub path: String,
    #[serde(default)]
    pub remote: Option<String>,
    #[serde(default)]
    pub branch: Option<String>,
    #[serde(default)]
    pub head: Option<String>,
    /// Changed or untracked files in the checkout; a session does not see them.
    #[serde(default)]
    pub uncommitted: u32,
    /// Why no session can start here, in a sentence.
    #[serde(default)]
    pub problem: Option<String>,
}

/// A heartbeat. Key: the host's name; it vanishes when the host stops beating.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Presence {
    pub host: HostName,
    pub at: Timestamp,
    /// One-minute load average.
    pub load: f64,
    #[ts(type = "number")]
    pub memory_free_bytes: u64,
    /// Sessions whose agent runs now.
    pub sessions: u32,
    /// Commands refused for good since the runner started: forged, stale, or for another host.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(type = "number")]
    pub commands_refused: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A session as the fleet knows it before any of its events. Key: the session's id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionRecord {
    pub session: SessionId,
    pub host: HostName,
    pub epoch: u64,
    pub project: String,
    pub agent: String,
    pub title: String,
    pub created_at: Timestamp,
    pub created_by: UserId,
    #[serde(default)]
    pub base: Option<String>,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Where in EVENTS its events can begin.
    pub first_seq: u64,
    /// The first message, until the host has taken the session over.
    #[serde(default)]
    pub prompt: Option<MessageSend>,
    #[serde(default)]
    pub prompt_id: Option<CommandId>,
    /// It ran in another fleet and was put into this one as a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
}

/// Where an imported session comes from. Its own `host` is [`HostName::imported`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Imported {
    /// Where it ran.
    pub host: HostName,
    pub at: Timestamp,
    pub by: UserId,
    /// Of the events in the file.
    pub last_seq: u64,
    /// The log was open in the file, and one more event ends it here.
    pub ended_here: bool,
    /// That the file stated of itself.
    pub sha256: String,
}

/// A person who signs in. Key: the user's id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserRecord {
    pub user: UserId,
    pub email: String,
    pub name: String,
    pub role: Role,
    /// argon2id, in PHC form.
    pub password_hash: String,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Admin,
    Member,
}

/// A way in: a browser's cookie or an API token. Key: sha-256 of the secret, so the bucket holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenRecord {
    pub token: TokenId,
    pub user: UserId,
    pub name: String,
    pub kind: TokenKind,
    pub created_at: Timestamp,
    /// None for API tokens, which last until they are taken back.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    Browser,
    Api,
}
