//! What people wish, on its way to a host.
//!
//! Owns the shape of every command and audit record that leaves here. Each is published expecting nothing on its
//! own subject, so sending it again changes nothing, and is kept at until NATS has it ([`Persist`]). Deliberately knows
//! nothing of HTTP, and decides nothing.

mod draining;
mod persist;
mod placing;

pub use persist::{Error as PersistError, HELD_FOR, Passing, Persist};
pub use placing::Early;

use std::sync::Arc;

use nats::Timestamp;
use nats::audit::{ActionRecord, DecisionRecord, Origin};
use nats::client::{self, Client, PublishError, Recorded, Records, WriteError};
use nats::command::{Command, GateDecide, MESSAGE_SEND, MessageSend, Order, SessionStart};
use nats::event::Attachment;
use nats::ids::{AttachmentId, AuditId, CommandId, GateId, HostName, SessionId, UserId};
use nats::record::{DrainRecord, SessionRecord};
use nats::seal::CommandKey;
use nats::stream::Bucket;
use nats::wire::{Tagged as _, Wire};

/// The version of an order, a decision record and an action record.
const VERSION: u8 = 1;

/// What could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Persist(#[from] PersistError),
    #[error("could not send `{command}` to {host}")]
    Command {
        command: &'static str,
        host: HostName,
        #[source]
        source: PublishError,
    },
    #[error("could not store the record of {session}")]
    Session {
        session: SessionId,
        #[source]
        source: WriteError,
    },
    #[error("could not read the record of {session}")]
    ReadSession {
        session: SessionId,
        #[source]
        source: client::Error,
    },
    #[error("could not change whether {host} takes new sessions")]
    Drain {
        host: HostName,
        #[source]
        source: WriteError,
    },
    #[error("could not record a decision")]
    Decision(#[source] client::Error),
    #[error("could not record `{action}` in the audit")]
    Audit {
        action: &'static str,
        #[source]
        source: client::Error,
    },
    #[error("could not make ready what {host} needs")]
    Host {
        host: HostName,
        #[source]
        source: client::Error,
    },
    #[error("could not read a message that waits for its host")]
    WaitingMessage(#[source] client::Error),
    #[error("could not store the attachment")]
    Attachment(#[source] client::Error),
}

/// Who does something, and from where.
#[derive(Debug, Clone)]
pub struct Actor {
    pub user: UserId,
    pub name: String,
    pub from: Origin,
}

/// What they do, for the audit.
#[derive(Debug, Clone)]
pub struct Action {
    pub action: &'static str,
    pub session: Option<SessionId>,
    pub command: Option<CommandId>,
    /// In a few words; never a secret and never a prompt.
    pub subject: String,
}

impl Action {
    /// One that is of no session.
    #[must_use]
    pub fn of_fleet(action: &'static str, subject: impl Into<String>) -> Self {
        Self {
            action,
            session: None,
            command: None,
            subject: subject.into(),
        }
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Dispatch {
    client: Client,
    key: Arc<CommandKey>,
    replicas: usize,
    sessions: Records<SessionRecord>,
    drains: Records<DrainRecord>,
    persist: Persist,
}

impl Dispatch {
    #[must_use]
    pub fn new(client: &Client, key: Arc<CommandKey>, replicas: usize, persist: Persist) -> Self {
        Self {
            client: client.clone(),
            key,
            replicas,
            sessions: client.records(Bucket::Sessions),
            drains: client.records(Bucket::Drains),
            persist,
        }
    }

    /// Where all that is written waits for NATS.
    #[must_use]
    pub const fn persist(&self) -> &Persist {
        &self.persist
    }

    /// Stores the record of a new session. The one that is there, when another request was faster.
    pub async fn create_session(
        &self,
        record: &SessionRecord,
    ) -> Result<Option<SessionRecord>, Error> {
        let session = record.session;
        if !record.is_queued() {
            self.ready_host(session, &record.host).await?;
        }
        let bytes = record.prompt.as_ref().map_or(0, |it| it.text.len());
        let key = session.to_string();
        let created = self
            .persist
            .until_stored(Some(session), bytes, || self.sessions.create(&key, record))
            .await?;
        match created {
            Ok(_) => Ok(None),
            Err(WriteError::Conflict) => {
                let found = self
                    .persist
                    .until_stored(None, 0, || self.sessions.get_existing(&key))
                    .await?
                    .map_err(|source| Error::ReadSession { session, source })?;
                // What is there may be ours, with an answer that was lost.
                Ok(Some(found.value).filter(|known| known != record))
            }
            Err(source) => Err(Error::Session { session, source }),
        }
    }

    /// Makes the queue and the bucket that a host needs before a session can be there.
    async fn ready_host(&self, session: SessionId, host: &HostName) -> Result<(), Error> {
        self.persist
            .until_stored(Some(session), 0, || {
                self.client.ensure_host(host, self.replicas)
            })
            .await?
            .map_err(|source| Error::Host {
                host: host.clone(),
                source,
            })
    }

    /// Tells the host to begin. Everything is in the record, so it is the same however often it is sent.
    pub async fn start(&self, record: &SessionRecord) -> Result<(), Error> {
        let command = SessionStart {
            project: record.project.clone(),
            agent: record.agent.clone(),
            title: record.title.clone(),
            base: record.base.clone(),
            prompt: record.prompt.clone(),
            prompt_id: record.prompt_id,
        };
        let id = record.session.start_command();
        self.send(
            record,
            id,
            command.into(),
            Some(record.created_by),
            record.created_at,
        )
        .await
    }

    /// Tells the session something.
    pub async fn command(
        &self,
        record: &SessionRecord,
        id: CommandId,
        command: Command,
        by: UserId,
    ) -> Result<(), Error> {
        self.send(record, id, command, Some(by), Timestamp::now())
            .await
    }

    /// A message that still waits for its host; none once the host has taken it.
    pub async fn waiting_message(
        &self,
        record: &SessionRecord,
        id: CommandId,
    ) -> Result<Option<MessageSend>, Error> {
        let early = record.placement.waiting.iter().find(|it| it.id == id);
        if let Some(early) = early {
            return Ok(Some(early.message.clone()));
        }
        let found = self
            .client
            .waiting_command(&record.host, record.session, MESSAGE_SEND, id)
            .await
            .map_err(Error::WaitingMessage)?;
        Ok(found.and_then(|order| match order.body {
            Wire::Known(Command::MessageSend(message)) => Some(message),
            Wire::Known(_) | Wire::Unknown(_) => None,
        }))
    }

    /// Records a decision; the first one wins.
    pub async fn record_decision(&self, record: &DecisionRecord) -> Result<Recorded, Error> {
        let bytes = serde_json::to_string(&record.decision).map_or(0, |text| text.len());
        self.persist
            .until_stored(Some(record.session), bytes, || {
                self.client.record_decision(record)
            })
            .await?
            .map_err(Error::Decision)
    }

    /// What is recorded of a gate.
    pub async fn decision(&self, gate: GateId) -> Result<Option<DecisionRecord>, Error> {
        self.persist
            .until_stored(None, 0, || self.client.decision(gate))
            .await?
            .map_err(Error::Decision)
    }

    /// Brings a recorded decision to its gate.
    pub async fn decide(
        &self,
        session: &SessionRecord,
        record: &DecisionRecord,
    ) -> Result<(), Error> {
        let decision = record.decision.clone();
        let (by, at) = (decision.by, decision.at);
        let command = GateDecide {
            gate: record.gate,
            decision,
        };
        self.send(session, record.gate.command(), command.into(), Some(by), at)
            .await
    }

    /// Records what somebody did, once for each command however often that is sent.
    pub async fn audit(&self, actor: &Actor, action: Action) -> Result<(), Error> {
        self.record(Some(actor), &actor.from, action).await
    }

    /// Records what was done by who is no person: a machine that joins.
    pub async fn audit_of_nobody(&self, from: &Origin, action: Action) -> Result<(), Error> {
        self.record(None, from, action).await
    }

    async fn record(
        &self,
        actor: Option<&Actor>,
        from: &Origin,
        action: Action,
    ) -> Result<(), Error> {
        let name = action.action;
        let record = ActionRecord {
            v: VERSION,
            id: action
                .command
                .map_or_else(AuditId::new, |command| AuditId::from_uuid(command.uuid())),
            action: name.to_owned(),
            by: actor.map(|actor| actor.user),
            by_name: actor.map(|actor| actor.name.clone()),
            session: action.session,
            command: action.command,
            subject: action.subject,
            at: Timestamp::now(),
            from: from.clone(),
        };
        self.persist
            .until_stored(action.session, 0, || self.client.record_action(&record))
            .await?
            .map_err(|source| Error::Audit {
                action: name,
                source,
            })
    }

    /// Puts an attachment's bytes where its host finds them.
    pub async fn attach(
        &self,
        host: &HostName,
        name: String,
        media_type: String,
        bytes: &[u8],
    ) -> Result<Attachment, Error> {
        let mut attachment = Attachment {
            id: AttachmentId::new(),
            name,
            media_type,
            bytes: bytes.len() as u64,
            sha256: String::new(),
        };
        let object = attachment.object_name();
        let stored = self
            .persist
            .until_stored(None, bytes.len(), || {
                self.client.put_object(host, &object, bytes)
            })
            .await?;
        attachment.sha256 = stored.map_err(Error::Attachment)?.sha256;
        Ok(attachment)
    }

    async fn send(
        &self,
        session: &SessionRecord,
        id: CommandId,
        command: Command,
        by: Option<UserId>,
        at: Timestamp,
    ) -> Result<(), Error> {
        let name = command.tag();
        let bytes = match &command {
            Command::MessageSend(message) => message.text.len(),
            _ => 0,
        };
        let order = Order {
            v: VERSION,
            id,
            session: session.session,
            host: session.host.clone(),
            epoch: session.epoch,
            at,
            by,
            body: Wire::Known(command),
        };
        self.persist
            .until_stored(Some(session.session), bytes, || {
                self.client.send_command(&self.key, &order)
            })
            .await?
            .map(|_| ())
            .map_err(|source| Error::Command {
                command: name,
                host: session.host.clone(),
                source,
            })
    }
}
