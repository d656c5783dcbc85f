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
    /// Sessions whose agent runs now: each holds a slot.
    pub sessions: u32,
    /// What becomes of its slots; none from a runner that does not hold to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub slots: Option<SlotReport>,
    /// How much of the last ten seconds some process waited for memory, in percent; none where the kernel does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub memory_pressure: Option<f64>,
    /// Commands refused for good since the runner started: forged, stale, or for another host.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(type = "number")]
    pub commands_refused: u64,
}

/// How a runner stands with the slots of its host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SlotReport {
    /// Of the sessions whose agent runs, how many have nothing to do: they give their slot up for one that has.
    pub resting: u32,
    /// Sessions here that were told something and wait for a slot.
    pub waiting: u32,
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
    #[serde(default, skip_serializing_if = "Placement::is_empty")]
    pub placement: Placement,
}

/// How a session came to its host, or what it waits for until it has one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// Since when no host has it. Until one does, its own `host` is [`HostName::queued`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_since: Option<Timestamp>,
    /// Only there, as whoever made it wished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_on: Option<HostName>,
    /// Labels that its host must bear.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub host_labels: BTreeMap<String, String>,
    /// Why it is on its host, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was said to it before its host had begun, oldest first; let go of once the host has it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<EarlyMessage>,
    /// Somebody ended it before its host had begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
}

impl Placement {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl SessionRecord {
    /// Whether it waits for a host.
    #[must_use]
    pub const fn is_queued(&self) -> bool {
        self.placement.queued_since.is_some() && self.placement.stopped.is_none()
    }

    /// Whether it was over before any host had it.
    #[must_use]
    pub const fn never_began(&self) -> bool {
        self.placement.queued_since.is_some() && self.placement.stopped.is_some()
    }
}

/// A message to a session that no host has taken up yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EarlyMessage {
    pub id: CommandId,
    pub by: UserId,
    pub at: Timestamp,
    pub message: MessageSend,
}

/// Who ended a session before it began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stopped {
    pub by: UserId,
    pub at: Timestamp,
    /// Of the wish: a host that has begun after all is sent it too.
    pub command: CommandId,
}

/// A host that takes no new sessions. Key: the host's name; there is none for a host that does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DrainRecord {
    pub host: HostName,
    pub since: Timestamp,
    pub by: UserId,
    pub by_name: String,
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
