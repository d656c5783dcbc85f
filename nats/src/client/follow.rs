//! Following a stream from a sequence on, for ever: across restarts of the server, without a hole and without a
//! double.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::{HeaderMap, Message};
use bytes::Bytes;
use tokio::sync::mpsc;

use super::connect::Client;
use super::error::Error;
use super::pull::Pull;

/// Messages read ahead of their reader. Bounded, so that a slow reader slows the stream and not the memory.
const READ_AHEAD: usize = 4096;
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(250);
/// Messages of one request.
const BATCH: u64 = 1000;
/// A consumer that nobody asks for so long is forgotten by the server.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

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
    /// When the server stored it, since 1970 UTC.
    pub time_nanoseconds: i64,
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
            from,
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
    from: From,
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

    /// Reads until the consumer fails, as one does whose server went away; `self.next` then says where to go on.
    async fn read(&mut self, sender: &mpsc::Sender<Followed>) -> Result<(), Error> {
        let mut pull = self.open().await?;
        let mut delivered = 0;
        loop {
            let message = tokio::select! {
                message = pull.next() => message?,
                () = sender.closed() => return Ok(()),
            };
            let (followed, count) = followed(message)?;
            delivered += 1;
            if count != delivered {
                return Err(Error::read(&self.stream, &"a message was lost on the way"));
            }
            let sequence = followed.sequence;
            if sender.send(followed).await.is_err() {
                return Ok(());
            }
            self.next = From::Sequence(sequence + 1);
        }
    }

    async fn open(&mut self) -> Result<Pull, Error> {
        let failed = |error: &dyn std::fmt::Display| Error::read(&self.stream, error);
        if let (From::LastPerSubject, From::Sequence(next)) = (self.from, self.next) {
            // Streams in memory count from 1 again when their server was away. What is read as the newest of each
            // subject can be read from the beginning again.
            let stream = self.client.jetstream.get_stream(&self.stream).await;
            let stream = stream.map_err(|error| failed(&error))?;
            if stream.cached_info().state.last_sequence + 1 < next {
                tracing::info!(
                    stream = self.stream,
                    "a stream has begun anew; reading all of it"
                );
                self.next = self.from;
            }
        }
        let deliver_policy = match self.next {
            From::Sequence(sequence) => DeliverPolicy::ByStartSequence {
                start_sequence: sequence.max(1),
            },
            From::LastPerSubject => DeliverPolicy::LastPerSubject,
        };
        let configuration = pull::Config {
            deliver_policy,
            filter_subject: self.filter.clone(),
            ack_policy: AckPolicy::None,
            memory_storage: true,
            num_replicas: 1,
            inactive_threshold: FORGOTTEN_AFTER,
            ..pull::Config::default()
        };
        let consumer = self
            .client
            .jetstream
            .create_consumer_on_stream(configuration, &self.stream)
            .await
            .map_err(|error| Error::read(&self.stream, &error))?;
        let name = &consumer.cached_info().name;
        Pull::open(&self.client, &self.stream, name, BATCH).await
    }
}

/// The message, and how many its consumer has sent with it.
fn followed(message: Message) -> Result<(Followed, u64), Error> {
    let numbers = message.reply.as_deref().and_then(Numbers::read);
    let Numbers {
        sequence,
        count,
        time_nanoseconds,
        pending,
    } = numbers
        .ok_or_else(|| Error::read(message.subject.as_str(), &"a message without its numbers"))?;
    let followed = Followed {
        sequence,
        subject: message.subject.to_string(),
        time_nanoseconds,
        headers: message.headers,
        payload: message.payload,
        pending,
    };
    Ok((followed, count))
}

/// What the subject for acknowledgements says of a message.
#[derive(Debug, PartialEq, Eq)]
struct Numbers {
    sequence: u64,
    count: u64,
    time_nanoseconds: i64,
    pending: u64,
}

impl Numbers {
    /// Reads `$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<count>.<time>.<pending>`, with domain and account in
    /// front of the stream in the newer form.
    fn read(reply: &str) -> Option<Self> {
        let tokens: Vec<&str> = reply.strip_prefix("$JS.ACK.")?.split('.').collect();
        let tokens = match tokens.len() {
            7 => &tokens[..],
            9.. => &tokens[2..],
            _ => return None,
        };
        Some(Self {
            sequence: tokens.get(3)?.parse().ok()?,
            count: tokens.get(4)?.parse().ok()?,
            time_nanoseconds: tokens.get(5)?.parse().ok()?,
            pending: tokens.get(6)?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_an_acknowledgement_subject_are_read() {
        let numbers = Numbers {
            sequence: 20,
            count: 3,
            time_nanoseconds: 1_700_000_000,
            pending: 5,
        };
        for reply in [
            "$JS.ACK.EVENTS.abc.1.20.3.1700000000.5",
            "$JS.ACK._.hash.EVENTS.abc.1.20.3.1700000000.5",
            "$JS.ACK._.hash.EVENTS.abc.1.20.3.1700000000.5.token",
        ] {
            assert_eq!(Numbers::read(reply).as_ref(), Some(&numbers), "{reply}");
        }
        assert_eq!(Numbers::read("_INBOX.abc"), None);
    }
}
