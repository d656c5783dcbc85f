//! Streams and buckets as data: what is kept where, for how long, and what the server itself refuses.
//!
//! Every number here was chosen for a reason that stands beside it. Nothing here talks to a server.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::{
    Compression, Config, DiscardPolicy, RetentionPolicy, StorageType,
};
use async_nats::jetstream::{kv, object_store};

use crate::ids::HostName;
use crate::subject;

pub const EVENTS: &str = "EVENTS";
pub const COMMANDS: &str = "COMMANDS";
pub const AUDIT: &str = "AUDIT";

/// The server's own default is 1,000 and means "no more sessions can be watched" when it is reached.
const CONSUMERS_MAX: i32 = 20_000;
/// A runner acknowledges a command as soon as it is in the session's inbox, and says so when that takes longer; one that
/// does neither is gone, and its successor waits for this long.
pub(crate) const COMMAND_ACK_WAIT: Duration = Duration::from_secs(1);
/// A host is silent when it has not been heard for this long. Its heart beats every [`BEAT_EVERY`].
pub const PRESENCE_TTL: Duration = Duration::from_secs(10);
pub const BEAT_EVERY: Duration = Duration::from_secs(3);

/// A key-value bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    Hosts,
    Sessions,
    Users,
    Tokens,
    Drains,
    Presence,
    /// Tokens with which hosts join.
    Enrolments,
    /// Whose key each host has.
    Identities,
    /// Whose key no host has any more.
    Revocations,
}

impl Bucket {
    pub const ALL: [Self; 9] = [
        Self::Hosts,
        Self::Sessions,
        Self::Users,
        Self::Tokens,
        Self::Drains,
        Self::Presence,
        Self::Enrolments,
        Self::Identities,
        Self::Revocations,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hosts => "hosts",
            Self::Sessions => "sessions",
            Self::Users => "users",
            Self::Tokens => "tokens",
            Self::Drains => "drains",
            Self::Presence => "presence",
            Self::Enrolments => "enrolments",
            Self::Identities => "identities",
            Self::Revocations => "revocations",
        }
    }

    /// The stream beneath the bucket.
    #[must_use]
    pub fn stream(self) -> String {
        format!("KV_{}", self.name())
    }

    /// The subject of one key.
    #[must_use]
    pub fn key(self, key: &str) -> String {
        format!("$KV.{}.{key}", self.name())
    }

    #[must_use]
    pub fn configuration(self, replicas: usize) -> kv::Config {
        let common = kv::Config {
            bucket: self.name().to_owned(),
            num_replicas: replicas,
            ..kv::Config::default()
        };
        match self {
            // History must be 1: with more, the server silently raises a key's time to live to the marker's.
            Self::Presence => kv::Config {
                history: 1,
                storage: StorageType::Memory,
                limit_markers: Some(PRESENCE_TTL),
                ..common
            },
            Self::Hosts
            | Self::Sessions
            | Self::Users
            | Self::Tokens
            | Self::Drains
            | Self::Enrolments
            | Self::Identities
            | Self::Revocations => kv::Config {
                history: 5,
                ..common
            },
        }
    }
}

/// Every stream of the fleet, as the server should hold it. Live text is in none: who listens hears it as it is said.
#[must_use]
pub fn all(replicas: usize) -> Vec<Config> {
    vec![events(replicas), commands(replicas), audit(replicas)]
}

/// Streams that an older build made and nobody reads.
pub(crate) const FORMER: [&str; 1] = ["LIVE"];

fn events(replicas: usize) -> Config {
    Config {
        name: EVENTS.to_owned(),
        subjects: vec![subject::ALL_EVENTS.to_owned()],
        storage: StorageType::File,
        num_replicas: replicas,
        compression: Some(Compression::S2),
        // A full stream refuses new events; discarding old ones would break every compare-and-set on them.
        discard: DiscardPolicy::New,
        max_consumers: CONSUMERS_MAX,
        allow_direct: true,
        allow_atomic_publish: true,
        deny_delete: true,
        ..Config::default()
    }
}

fn commands(replicas: usize) -> Config {
    Config {
        name: COMMANDS.to_owned(),
        subjects: vec![subject::ALL_COMMANDS.to_owned()],
        storage: StorageType::File,
        num_replicas: replicas,
        // A command for a host that is away waits here, for as long as it takes.
        retention: RetentionPolicy::WorkQueue,
        discard: DiscardPolicy::New,
        max_consumers: CONSUMERS_MAX,
        allow_direct: true,
        ..Config::default()
    }
}

fn audit(replicas: usize) -> Config {
    Config {
        name: AUDIT.to_owned(),
        subjects: vec![subject::ALL_AUDIT.to_owned()],
        storage: StorageType::File,
        num_replicas: replicas,
        compression: Some(Compression::S2),
        discard: DiscardPolicy::New,
        max_consumers: CONSUMERS_MAX,
        allow_direct: true,
        deny_delete: true,
        deny_purge: true,
        ..Config::default()
    }
}

/// The one consumer of a host's commands, named as the host and made by a coordinator, so that a runner needs no
/// right to make any.
#[must_use]
pub fn command_consumer(host: &HostName, replicas: usize) -> pull::Config {
    pull::Config {
        durable_name: Some(host.to_string()),
        filter_subject: subject::commands_for(host),
        ack_policy: AckPolicy::Explicit,
        ack_wait: COMMAND_ACK_WAIT,
        max_deliver: -1,
        // One at a time keeps their order when one is delivered again.
        max_ack_pending: 1,
        // Said, because one that was made on a lone server stays alone when its stream gets copies.
        num_replicas: replicas,
        ..pull::Config::default()
    }
}

/// The name of a host's object bucket: big events, attachments, artifacts. One each, because the server cannot
/// limit a credential to some objects of a bucket.
#[must_use]
pub fn object_bucket(host: &HostName) -> String {
    object_bucket_named(host.as_str())
}

pub(crate) fn object_bucket_named(host: &str) -> String {
    format!("objects-{host}")
}

#[must_use]
pub fn object_store(host: &HostName, replicas: usize) -> object_store::Config {
    object_store::Config {
        bucket: object_bucket(host),
        description: Some(format!("big events and attachments of {host}")),
        storage: StorageType::File,
        num_replicas: replicas,
        ..object_store::Config::default()
    }
}
