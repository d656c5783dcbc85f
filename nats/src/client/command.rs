//! Commands: sent once however often, and taken one at a time by the host they are for.

use async_nats::jetstream::AckKind;
use tokio::time::{Instant, interval_at};

use super::connect::Client;
use super::error::Error;
use super::publish::{Expect, PublishError};
use super::pull::Pull;
use crate::command::Order;
use crate::ids::{CommandId, HostName, SessionId};
use crate::seal::{self, CommandKey, Commanders};
use crate::{stream, subject};

/// What became of sending a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    New,
    /// The same command still waits for its host: nothing changed.
    Already,
}

impl Client {
    /// Puts a command into the host's queue, unless the same command waits there already. Sent again when an answer is
    /// lost: who takes it knows the commands it has taken.
    pub async fn send_command(
        &self,
        key: &CommandKey,
        order: &Order,
    ) -> Result<Sent, PublishError> {
        let subject = subject::command(&order.host, order.session, order.body.tag(), order.id);
        let unwritten = |error: &dyn std::fmt::Display| {
            PublishError::Refused(format!("a command that cannot be written ({error})"))
        };
        let body = serde_json::to_vec(order).map_err(|error| unwritten(&error))?;
        let headers = seal::seal(key, &subject, &body).map_err(|error| unwritten(&error))?;
        let expect = Expect::LastOn {
            filter: subject.clone(),
            sequence: 0,
        };
        match self
            .publish_until_sure(&subject, &headers, &body.into(), &expect)
            .await
        {
            Ok(_) => Ok(Sent::New),
            Err(PublishError::WrongLastSequence) => Ok(Sent::Already),
            Err(other) => Err(other),
        }
    }

    /// A command that still waits for its host; none once the host has taken it.
    pub async fn waiting_command(
        &self,
        host: &HostName,
        session: SessionId,
        command_type: &str,
        id: CommandId,
    ) -> Result<Option<Order>, Error> {
        let subject = subject::command(host, session, command_type, id);
        let Some((_, payload)) = self.last_message(stream::COMMANDS, &subject).await? else {
            return Ok(None);
        };
        serde_json::from_slice(&payload)
            .map(Some)
            .map_err(|source| Error::Malformed {
                what: subject,
                source,
            })
    }

    /// Takes a command back that its host has not taken; nothing happens when it has.
    pub async fn withdraw_command(&self, order: &Order) -> Result<(), Error> {
        let subject = subject::command(&order.host, order.session, order.body.tag(), order.id);
        let failed = |error: &dyn std::fmt::Display| Error::read(&subject, error);
        let stream = self
            .jetstream
            .get_stream(stream::COMMANDS)
            .await
            .map_err(|error| failed(&error))?;
        stream
            .purge()
            .filter(&subject)
            .await
            .map(|_| ())
            .map_err(|error| failed(&error))
    }

    /// The commands of one host, in order, across restarts of the server.
    #[must_use]
    pub fn commands(&self, host: &HostName) -> CommandFeed {
        CommandFeed {
            client: self.clone(),
            host: host.clone(),
            pull: None,
        }
    }
}

/// A host's queue of commands.
pub struct CommandFeed {
    client: Client,
    host: HostName,
    pull: Option<Pull>,
}

impl CommandFeed {
    /// The next command. Waits for as long as it takes; an error is worth a pause and another call. Cancel-safe:
    /// what was not taken is delivered again.
    pub async fn next(&mut self) -> Result<CommandDelivery, Error> {
        self.client.connected().await;
        if self.pull.is_none() {
            // One at a time: what is asked for beyond that would wait here while its time runs out.
            let pull = Pull::open(&self.client, stream::COMMANDS, self.host.as_str(), 1).await?;
            self.pull = Some(pull);
        }
        let Some(pull) = self.pull.as_mut() else {
            unreachable!("opened above")
        };
        match pull.next().await {
            Ok(message) => Ok(CommandDelivery {
                client: self.client.nats.clone(),
                message,
            }),
            Err(error) => {
                self.pull = None;
                Err(error)
            }
        }
    }
}

/// One delivered command. Acknowledge it once it is durable; until then it comes again.
pub struct CommandDelivery {
    client: async_nats::Client,
    message: async_nats::Message,
}

impl CommandDelivery {
    #[must_use]
    pub fn subject(&self) -> &str {
        self.message.subject.as_str()
    }

    /// The command, if it is one of theirs and stands on the subject it says.
    pub fn order(&self, commanders: &Commanders) -> Result<Order, Error> {
        let what = || self.subject().to_owned();
        let message = &self.message;
        commanders
            .check(message.headers.as_ref(), self.subject(), &message.payload)
            .map_err(|source| Error::Unsealed {
                what: what(),
                source,
            })?;
        let order: Order =
            serde_json::from_slice(&self.message.payload).map_err(|source| Error::Malformed {
                what: what(),
                source,
            })?;
        let stated = subject::command(&order.host, order.session, order.body.tag(), order.id);
        if stated == self.subject() {
            Ok(order)
        } else {
            Err(Error::read(
                what(),
                &format!("the command inside says it belongs to `{stated}`"),
            ))
        }
    }

    /// Does `handling`, and keeps the server from giving the command away meanwhile.
    pub async fn hold<T>(&self, handling: impl Future<Output = T>) -> T {
        let every = stream::COMMAND_ACK_WAIT / 3;
        let mut beat = interval_at(Instant::now() + every, every);
        let mut handling = std::pin::pin!(handling);
        loop {
            tokio::select! {
                biased;
                done = &mut handling => return done,
                _ = beat.tick() => {
                    if let Err(error) = self.answer(AckKind::Progress).await {
                        tracing::debug!(%error, "could not say that a command is being taken care of");
                    }
                }
            }
        }
    }

    /// The command is durable here; the server forgets it. It is not waited for: when this word is lost, the command
    /// comes again.
    pub async fn acknowledge(&self) -> Result<(), Error> {
        self.answer(AckKind::Ack).await
    }

    /// Not now: it comes again.
    pub async fn postpone(&self) -> Result<(), Error> {
        let pause = std::time::Duration::from_millis(500);
        self.answer(AckKind::Nak(Some(pause))).await
    }

    /// It can never be carried out, by anybody: the server forgets it.
    pub async fn refuse(&self) -> Result<(), Error> {
        self.answer(AckKind::Term).await
    }

    async fn answer(&self, kind: AckKind) -> Result<(), Error> {
        let reply =
            self.message.reply.clone().ok_or_else(|| {
                Error::read(self.subject(), &"a command that cannot be acknowledged")
            })?;
        self.client
            .publish(reply, kind.into())
            .await
            .map_err(|error| Error::read(self.subject(), &error))
    }
}
