//! Following a stream from a sequence on, for ever: across restarts of the server, without a hole and without a
//! double.

use std::time::Duration;

use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::{HeaderMap, jetstream};
use bytes::Bytes;
use futures::StreamExt as _;
use tokio::sync::mpsc;

use super::connect::Client;
use super::error::Error;

/// Messages read ahead of their reader. Bounded, so that a slow reader slows the stream and not the memory.
const READ_AHEAD: usize = 4096;
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(250);

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// This stream sequence and everything after it.
    Sequence(u64),
    /// The newest message of each subject, then everything after: how records are read.
    LastPerSubject,
}

/// One stored message.
#[derive(Debug, Clone)]
pub struct Followed {
    pub sequence: u64,
    pub subject: String,
    pub headers: Option<HeaderMap>,
    pub payload: Bytes,
    /// How many more the stream held when this one was sent: 0 says the reader has caught up.
    pub pending: u64,
}

impl Client {
    /// Follows `filter` in `stream`. The returned receiver ends only when it is dropped or the process stops.
    pub fn follow(
        &self,
        stream: impl Into<String>,
        filter: impl Into<String>,
        from: From,
    ) -> mpsc::Receiver<Followed> {
        let (sender, receiver) = mpsc::channel(READ_AHEAD);
        let follower = Follower {
            client: self.clone(),
            stream: stream.into(),
            filter: filter.into(),
            next: from,
        };
        tokio::spawn(follower.run(sender));
        receiver
    }
}

struct Follower {
    client: Client,
    stream: String,
    filter: String,
    next: From,
}

impl Follower {
    async fn run(mut self, sender: mpsc::Sender<Followed>) {
        while !sender.is_closed() {
            tokio::select! {
                () = self.client.connected() => {}
                () = sender.closed() => return,
            }
            if let Err(error) = self.read(&sender).await {
                tracing::debug!(%error, stream = self.stream, "following a stream was interrupted; going on from the last message");
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }

    /// Reads until the connection changes or the consumer fails; `self.next` then says where to go on.
    async fn read(&mut self, sender: &mpsc::Sender<Followed>) -> Result<(), Error> {
        let mut connection = self.client.connection();
        let generation = connection.borrow_and_update().generation;
        let mut messages = self.open().await?;
        loop {
            let message = tokio::select! {
                message = messages.next() => message,
                // A consumer made before the server went away notices it up to twenty seconds late.
                _ = connection.wait_for(|state| state.generation != generation) => return Ok(()),
                () = sender.closed() => return Ok(()),
            };
            let message = match message {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Err(Error::read(&self.stream, &error)),
                None => return Err(Error::read(&self.stream, &"the consumer ended")),
            };
            let followed = followed(message)?;
            let sequence = followed.sequence;
            if sender.send(followed).await.is_err() {
                return Ok(());
            }
            self.next = From::Sequence(sequence + 1);
        }
    }

    async fn open(&self) -> Result<pull::Ordered, Error> {
        let deliver_policy = match self.next {
            From::Sequence(sequence) => DeliverPolicy::ByStartSequence {
                start_sequence: sequence.max(1),
            },
            From::LastPerSubject => DeliverPolicy::LastPerSubject,
        };
        let configuration = pull::OrderedConfig {
            deliver_policy,
            filter_subject: self.filter.clone(),
            ..pull::OrderedConfig::default()
        };
        let consumer = self
            .client
            .jetstream
            .create_consumer_on_stream(configuration, &self.stream)
            .await
            .map_err(|error| Error::read(&self.stream, &error))?;
        consumer
            .messages()
            .await
            .map_err(|error| Error::read(&self.stream, &error))
    }
}

fn followed(message: jetstream::Message) -> Result<Followed, Error> {
    let info = message
        .info()
        .map_err(|error| Error::read(message.subject.as_str(), &error))?;
    let (sequence, pending) = (info.stream_sequence, info.pending);
    let message = message.message;
    Ok(Followed {
        sequence,
        subject: message.subject.to_string(),
        headers: message.headers,
        payload: message.payload,
        pending,
    })
}
