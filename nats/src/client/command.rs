//! Commands: sent once however often, and taken one at a time by the host they are for.

use async_nats::HeaderMap;
use async_nats::jetstream::AckKind;
use async_nats::jetstream::consumer::{PullConsumer, pull};
use futures::StreamExt as _;

use super::connect::Client;
use super::error::Error;
use super::publish::{Expect, PublishError};
use crate::command::Order;
use crate::ids::{CommandId, HostName, SessionId};
use crate::{stream, subject};

/// What became of sending a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    New,
    /// The same command still waits for its host: nothing changed.
    Already,
}

impl Client {
    /// Puts a command into the host's queue, unless the same command waits there already.
    pub async fn send_command(&self, order: &Order) -> Result<Sent, PublishError> {
        let subject = subject::command(&order.host, order.session, order.body.tag(), order.id);
        let body = serde_json::to_vec(order).map_err(|error| {
            PublishError::Refused(format!("a command that cannot be written ({error})"))
        })?;
        let expect = Expect::LastOn {
            filter: subject.clone(),
            sequence: 0,
        };
        match self
            .publish(subject, HeaderMap::new(), body.into(), &expect)
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

    /// The commands of one host, in order, across restarts of the server.
    #[must_use]
    pub fn commands(&self, host: &HostName) -> CommandFeed {
        CommandFeed {
            client: self.clone(),
            host: host.clone(),
            messages: None,
            generation: 0,
        }
    }
}

/// A host's queue of commands.
pub struct CommandFeed {
    client: Client,
    host: HostName,
    messages: Option<pull::Stream>,
    generation: u64,
}

impl CommandFeed {
    /// The next command. Waits for as long as it takes; an error is worth a pause and another call. Cancel-safe:
    /// what was not taken is delivered again.
    pub async fn next(&mut self) -> Result<CommandDelivery, Error> {
        self.client.connected().await;
        let mut connection = self.client.connection();
        let generation = connection.borrow_and_update().generation;
        if self.generation != generation {
            // A consumer that outlived a reconnect notices its loss only seconds later.
            self.messages = None;
        }
        if self.messages.is_none() {
            self.messages = Some(self.open().await?);
            self.generation = generation;
        }
        let Some(messages) = self.messages.as_mut() else {
            unreachable!("opened above")
        };
        let next = tokio::select! {
            next = messages.next() => next,
            _ = connection.wait_for(|state| state.generation != generation) => None,
        };
        match next {
            Some(Ok(message)) => Ok(CommandDelivery { message }),
            Some(Err(error)) => {
                self.messages = None;
                Err(Error::read(
                    format!("the commands of {}", self.host),
                    &error,
                ))
            }
            None => {
                self.messages = None;
                Err(Error::read(
                    format!("the commands of {}", self.host),
                    &"the server was gone for a moment",
                ))
            }
        }
    }

    async fn open(&self) -> Result<pull::Stream, Error> {
        let what = || format!("the commands of {}", self.host);
        let consumer: PullConsumer = self
            .client
            .jetstream
            .get_consumer_from_stream(self.host.as_str(), stream::COMMANDS)
            .await
            .map_err(|error| Error::read(what(), &error))?;
        consumer
            .messages()
            .await
            .map_err(|error| Error::read(what(), &error))
    }
}

/// One delivered command. Acknowledge it once it is durable; until then it comes again.
pub struct CommandDelivery {
    message: async_nats::jetstream::Message,
}

impl CommandDelivery {
    #[must_use]
    pub fn subject(&self) -> &str {
        self.message.subject.as_str()
    }

    /// The command, if it is one and stands on the subject it says.
    pub fn order(&self) -> Result<Order, Error> {
        let what = || self.subject().to_owned();
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

    /// The command is durable here; the server forgets it.
    pub async fn acknowledge(&self) -> Result<(), Error> {
        self.message
            .double_ack()
            .await
            .map_err(|error| Error::read(self.subject(), &error))
    }

    /// Not now: it comes again.
    pub async fn postpone(&self) -> Result<(), Error> {
        let pause = std::time::Duration::from_millis(500);
        self.message
            .ack_with(AckKind::Nak(Some(pause)))
            .await
            .map_err(|error| Error::read(self.subject(), &error))
    }

    /// It can never be carried out, by anybody: the server forgets it.
    pub async fn refuse(&self) -> Result<(), Error> {
        self.message
            .ack_with(AckKind::Term)
            .await
            .map_err(|error| Error::read(self.subject(), &error))
    }
}
