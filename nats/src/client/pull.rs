//! Pulling messages from a consumer, and noticing when nobody is there to send any.
//!
//! Not by the library's streams: when a server restarts or a consumer's leader moves they go on waiting on a request
//! that no server knows any more, for up to half a minute, and what is delivered to such a request is held back until it
//! is delivered again. Here every request has a name of its own, a heartbeat and an end, and a silent one is given up.

use std::time::Duration;

use async_nats::{Message, StatusCode, Subscriber};
use futures::StreamExt as _;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::connect::{Client, Connection};
use super::error::Error;

/// How often the server says that it still knows the request, when it has nothing to send.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// Two heartbeats and a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);
/// A request that is forgotten by both sides ends by itself.
const EXPIRES: Duration = Duration::from_secs(30);

pub(super) struct Pull {
    client: Client,
    what: String,
    /// Where requests go.
    next: String,
    inbox: String,
    messages: Subscriber,
    connection: watch::Receiver<Connection>,
    batch: u64,
    /// Requests so far; the last one is the one whose status counts.
    requests: u64,
    /// Messages that the last request may still bring.
    left: u64,
    /// The connection that the last request was made on.
    generation: u64,
    heard: Instant,
}

impl Pull {
    /// Begins to listen; nothing is asked for before [`Self::next`].
    pub(super) async fn open(
        client: &Client,
        stream: &str,
        consumer: &str,
        batch: u64,
    ) -> Result<Self, Error> {
        let what = format!("{consumer} of {stream}");
        let inbox = client.nats.new_inbox();
        let messages = client
            .nats
            .subscribe(format!("{inbox}.*"))
            .await
            .map_err(|error| Error::read(&what, &error))?;
        Ok(Self {
            client: client.clone(),
            what,
            next: format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"),
            inbox,
            messages,
            connection: client.connection(),
            batch,
            requests: 0,
            left: 0,
            generation: 0,
            heard: Instant::now(),
        })
    }

    /// The next message, however long it takes. After an error a new pull is needed; with it the messages that this one
    /// was sent are lost. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Message, Error> {
        loop {
            let state = *self.connection.borrow_and_update();
            if state.generation != self.generation {
                // The listening goes on over the new connection; what the server knew of us may be gone with the old.
                self.left = 0;
            }
            if self.left == 0 {
                self.request(state.generation).await?;
            }
            let generation = self.generation;
            let message = tokio::select! {
                biased;
                message = self.messages.next() => message,
                _ = self.connection.wait_for(|state| state.up && state.generation != generation) => continue,
                () = sleep_until(self.heard + PATIENCE) => {
                    return Err(Error::read(&self.what, &"nobody is there to send messages"));
                }
            };
            let Some(message) = message else {
                return Err(Error::read(&self.what, &"the connection was closed"));
            };
            match message.status {
                None => {
                    self.heard = Instant::now();
                    self.left = self.left.saturating_sub(1);
                    return Ok(message);
                }
                Some(status) => self.told(status, &message)?,
            }
        }
    }

    /// A word about a request. Those about earlier requests are of no interest.
    fn told(&mut self, status: StatusCode, message: &Message) -> Result<(), Error> {
        if message.subject.as_str() != self.reply() {
            return Ok(());
        }
        self.heard = Instant::now();
        match status {
            StatusCode::IDLE_HEARTBEAT => Ok(()),
            StatusCode::TIMEOUT => {
                self.left = 0;
                Ok(())
            }
            _ => Err(Error::read(
                &self.what,
                &format!(
                    "{status} {}",
                    message.description.as_deref().unwrap_or_default()
                ),
            )),
        }
    }

    async fn request(&mut self, generation: u64) -> Result<(), Error> {
        self.requests += 1;
        let body = serde_json::json!({
            "batch": self.batch,
            "expires": nanoseconds(EXPIRES),
            "idle_heartbeat": nanoseconds(HEARTBEAT),
        });
        self.client
            .nats
            .publish_with_reply(self.next.clone(), self.reply(), body.to_string().into())
            .await
            .map_err(|error| Error::read(&self.what, &error))?;
        self.left = self.batch;
        self.generation = generation;
        self.heard = Instant::now();
        Ok(())
    }

    fn reply(&self) -> String {
        format!("{}.{}", self.inbox, self.requests)
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
