//! Every subject, spelled here and nowhere else.
//!
//! `fleet.<host>.<session>.event.<type>`, `.live.<type>`, `.command.<type>.<id>` `audit.<action>.<id>` and
//! `audit.checkpoint.<key>.<sequence>`; `credential.<host>.renew`, which is asked and answered and never kept.
//! Host and session are one token each; a type has dots of its own (`gate.opened`).

use std::fmt;

use crate::audit::AuditPublicKey;
use crate::ids::{AuditId, CommandId, GateId, HostName, SessionId};

/// What a plain NATS client subscribes to in order to watch everything.
pub const EVERYTHING: &str = "fleet.>";
/// Every event of every host, as the EVENTS stream takes them.
pub const ALL_EVENTS: &str = "fleet.*.*.event.>";
/// Every short-lived message of every host.
pub const ALL_LIVE: &str = "fleet.*.*.live.>";
/// Every answer of a host that it has no slot for a session.
pub const ALL_START_REFUSALS: &str = "fleet.*.*.live.start.refused";
/// Every command to every host.
pub const ALL_COMMANDS: &str = "fleet.*.*.command.>";
/// Every record of who did what.
pub const ALL_AUDIT: &str = "audit.>";

/// Where every host asks for a new token.
pub const ALL_RENEWALS: &str = "credential.*.renew";

const CHECKPOINTS: &str = "audit.checkpoint.";

/// The session token of commands meant for the runner itself.
pub const HOST_ITSELF: &str = "host";

/// Where one event of a session is published.
#[must_use]
pub fn event(host: &HostName, session: SessionId, event_type: &str) -> String {
    format!("fleet.{host}.{session}.event.{event_type}")
}

/// All events of one session on one host. The literal host matters: a compare-and-set over `fleet.*.…` would let
/// any host stop any session by writing one event in its name.
#[must_use]
pub fn events_of(host: &HostName, session: SessionId) -> String {
    format!("fleet.{host}.{session}.event.>")
}

/// All events under a session's name, whichever host they came from. For looking only: see [`events_of`].
#[must_use]
pub fn events_of_any_host(session: SessionId) -> String {
    format!("fleet.*.{session}.event.>")
}

/// Where one short-lived message of a session is published.
#[must_use]
pub fn live(host: &HostName, session: SessionId, live_type: &str) -> String {
    format!("fleet.{host}.{session}.live.{live_type}")
}

/// Where one command for a session is published. The id makes the subject its own, so sending again is a no-op.
#[must_use]
pub fn command(host: &HostName, session: SessionId, command_type: &str, id: CommandId) -> String {
    format!("fleet.{host}.{session}.command.{command_type}.{id}")
}

/// All commands for one host, sessions and runner together: the filter of its consumer.
#[must_use]
pub fn commands_for(host: &HostName) -> String {
    format!("fleet.{host}.*.command.>")
}

/// The record of a decision. There is one subject per gate, so the first record wins.
#[must_use]
pub fn decision(gate: GateId) -> String {
    format!("audit.decision.{gate}")
}

/// The gate of a decision's subject; `None` for records of anything else.
#[must_use]
pub fn decided_gate(subject: &str) -> Option<GateId> {
    subject.strip_prefix("audit.decision.")?.parse().ok()
}

/// The record of anything else a person did.
#[must_use]
pub fn audit(action: &str, id: AuditId) -> String {
    format!("audit.{action}.{id}")
}

/// The record in which a key signs the audit up to a record. One subject for each, so that a signer finds its own last
/// word by asking for it.
#[must_use]
pub fn checkpoint(key: &AuditPublicKey, through: u64) -> String {
    format!("{CHECKPOINTS}{key}.{through}")
}

/// Every checkpoint of one key.
#[must_use]
pub fn checkpoints_of(key: &AuditPublicKey) -> String {
    format!("{CHECKPOINTS}{key}.>")
}

/// Whether a record of the audit is a checkpoint, or stands where only checkpoints may.
#[must_use]
pub fn is_checkpoint(subject: &str) -> bool {
    subject.starts_with(CHECKPOINTS)
}

/// Where one host asks for a new token. Not below `fleet.`: who watches has no use for it.
#[must_use]
pub fn renewal(host: &HostName) -> String {
    renewal_of(host.as_str())
}

pub(crate) fn renewal_of(host: &str) -> String {
    format!("credential.{host}.renew")
}

/// Who asks there.
#[must_use]
pub fn renewing_host(subject: &str) -> Option<HostName> {
    subject
        .strip_prefix("credential.")?
        .strip_suffix(".renew")?
        .parse()
        .ok()
}

/// A subject that is not one of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a fleet subject")]
pub struct NotOurs(pub String);

/// A fleet subject, read back into its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    pub host: HostName,
    /// `None` stands for the runner itself.
    pub session: Option<SessionId>,
    pub kind: Kind,
    /// The type with its dots, without a command's id.
    pub message_type: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Event,
    Live,
    Command(CommandId),
}

/// Reads a fleet subject.
pub fn parse(subject: &str) -> Result<Parsed, NotOurs> {
    read(subject).ok_or_else(|| NotOurs(subject.to_owned()))
}

fn read(subject: &str) -> Option<Parsed> {
    let mut tokens = subject.strip_prefix("fleet.")?.splitn(4, '.');
    let host = tokens.next()?.parse().ok()?;
    let session = match tokens.next()? {
        HOST_ITSELF => None,
        id => Some(id.parse().ok()?),
    };
    let kind = tokens.next()?;
    let rest = tokens.next()?;
    let (kind, message_type) = match kind {
        "event" => (Kind::Event, rest),
        "live" => (Kind::Live, rest),
        "command" => {
            let (message_type, id) = rest.rsplit_once('.')?;
            (Kind::Command(id.parse().ok()?), message_type)
        }
        _ => return None,
    };
    Some(Parsed {
        host,
        session,
        kind,
        message_type: message_type.to_owned(),
    })
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Event => "event",
            Self::Live => "live",
            Self::Command(_) => "command",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_reads_back_into_what_it_was_made_of() {
        let host: HostName = "vps-1".parse().unwrap();
        let session = SessionId::new();
        let id = CommandId::new();
        let parsed = parse(&command(&host, session, "message.send", id)).unwrap();
        assert_eq!(parsed.kind, Kind::Command(id));
        assert_eq!((parsed.host, parsed.session), (host.clone(), Some(session)));
        assert_eq!(parsed.message_type, "message.send");
        assert_eq!(
            parse(&event(&host, session, "gate.opened"))
                .unwrap()
                .message_type,
            "gate.opened"
        );
    }

    #[test]
    fn a_foreign_subject_is_refused() {
        for foreign in [
            "fleet.vps-1",
            "fleet.VPS.ses_x.event.a",
            "other.a.b.c",
            "fleet.a.host.command.stop.notanid",
        ] {
            assert!(parse(foreign).is_err(), "{foreign}");
        }
    }
}
