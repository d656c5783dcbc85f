//! Identifiers that say what they are: `ses_0192f3…` in any log, subject or row.
//!
//! An id is a prefix and a UUIDv7 in 32 hex digits, so it sorts by age and is safe as a NATS token.
//! Parsing refuses another kind's prefix. Host names live here too: they are the one id people choose.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is not the id it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("`{text}` is not a {kind} id: it should look like `{prefix}_` and 32 hex digits")]
    NotAnId {
        kind: &'static str,
        prefix: &'static str,
        text: String,
    },
    #[error("`{0}` is not a host name: use 1 to 40 of a-z, 0-9 and -")]
    NotAHostName(String),
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
        #[serde(try_from = "String", into = "String")]
        #[ts(type = "string")]
        pub struct $name(Uuid);

        impl $name {
            pub const PREFIX: &'static str = $prefix;

            /// A new id, made now.
            #[must_use]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The same moment and chance under another kind's prefix: a decision's command id is its gate's.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// The last eight hex digits: enough to tell two apart in a branch name or a row.
            #[must_use]
            pub fn short(self) -> String {
                let text = self.0.simple().to_string();
                text[24..].to_owned()
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                text.strip_prefix(concat!($prefix, "_"))
                    .filter(|hex| hex.len() == 32 && !hex.bytes().any(|byte| byte.is_ascii_uppercase()))
                    .and_then(|hex| Uuid::try_parse(hex).ok())
                    .map(Self)
                    .ok_or_else(|| Error::NotAnId {
                        kind: stringify!($name),
                        prefix: $prefix,
                        text: text.chars().take(80).collect(),
                    })
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self, Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

id!(/** One agent at work in one worktree. */ SessionId, "ses");
id!(/** One stretch of an agent's work, from a prompt to its result. */ TurnId, "turn");
id!(/** A tool call, question or plan that waits for a human. */ GateId, "gate");
id!(/** A wish on its way to a host; also the receipt of a message. */ CommandId, "cmd");
id!(/** One fact in a session's log. */ EventId, "evt");
id!(/** A record of who did what. */ AuditId, "aud");
id!(/** A person who signs in. */ UserId, "usr");
id!(/** A browser's or a program's way in. */ TokenId, "tok");
id!(/** A file a person gave to a session. */ AttachmentId, "att");

impl GateId {
    /// The command that carries this gate's decision. One gate, one command: sending it again changes nothing.
    #[must_use]
    pub const fn command(self) -> CommandId {
        CommandId::from_uuid(self.uuid())
    }
}

impl SessionId {
    /// The command that starts this session, the same however often and by whomever it is sent.
    #[must_use]
    pub const fn start_command(self) -> CommandId {
        CommandId::from_uuid(self.uuid())
    }
}

/// The valid names that no host has.
const IMPORTED: &str = "imported";
const QUEUED: &str = "queued";

/// A host's name: 1 to 40 characters of `a-z`, `0-9` and `-`. It is a token of every subject of that host.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string")]
pub struct HostName(String);

impl HostName {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Under which a coordinator writes sessions of other fleets. No machine is called so.
    #[must_use]
    pub fn imported() -> Self {
        Self(IMPORTED.to_owned())
    }

    /// Where a session is that no host has yet. No machine is called so.
    #[must_use]
    pub fn queued() -> Self {
        Self(QUEUED.to_owned())
    }

    /// Whether the name stands for no machine.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0 == IMPORTED || self.0 == QUEUED
    }

    /// The nearest valid name to what a machine calls itself; `host` when nothing of it is usable.
    #[must_use]
    pub fn nearest(machine_name: &str) -> Self {
        let first_label = machine_name.split('.').next().unwrap_or_default();
        let kept: String = first_label
            .to_lowercase()
            .chars()
            .map(|c| {
                if c.is_ascii_lowercase() || c.is_ascii_digit() {
                    c
                } else {
                    '-'
                }
            })
            .take(40)
            .collect();
        let trimmed = kept.trim_matches('-');
        Self(
            if trimmed.is_empty() || trimmed == IMPORTED || trimmed == QUEUED {
                "host".to_owned()
            } else {
                trimmed.to_owned()
            },
        )
    }
}

impl FromStr for HostName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let valid = (1..=40).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::NotAHostName(text.chars().take(80).collect()))
        }
    }
}

impl TryFrom<String> for HostName {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<HostName> for String {
    fn from(name: HostName) -> Self {
        name.0
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_text_and_refuses_another_kind() {
        let session = SessionId::new();
        assert_eq!(session.to_string().parse(), Ok(session));
        let gate: Result<GateId, _> = session.to_string().parse();
        assert!(gate.unwrap_err().to_string().contains("gate_"));
    }

    #[test]
    fn an_id_is_one_nats_token() {
        assert!(
            CommandId::new()
                .to_string()
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_')
        );
    }

    #[test]
    fn a_host_name_that_would_break_a_subject_is_refused() {
        for bad in ["", "VPS", "a.b", "a b", "*", ">", &"x".repeat(41)] {
            assert!(bad.parse::<HostName>().is_err(), "{bad}");
        }
        assert_eq!(HostName::nearest("Vps_1.example.org").as_str(), "vps-1");
        assert_eq!(HostName::nearest("…").as_str(), "host");
        assert_eq!(HostName::nearest("imported").as_str(), "host");
        assert_eq!(HostName::nearest("queued").as_str(), "host");
    }
}
