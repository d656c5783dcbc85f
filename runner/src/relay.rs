//! Carries a session's log to EVENTS: in order, each row once, for as long as it takes.
//!
//! The truth is the log; hints say when to look. What to do next is the machine's to say; this is the shell that does
//! it against the server. It deliberately knows nothing of what the rows mean.

mod carrier;
pub(crate) mod machine;

use std::path::PathBuf;

use nats::Client;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use machine::Reached;

use self::carrier::Carrier;
use self::machine::{Effect, Input, Machine};
use crate::session::log::{Identity, Reader};

pub struct Relay {
    pub client: Client,
    pub identity: Identity,
    pub reader: Reader,
    /// Where objects lie that rows refer to.
    pub objects: PathBuf,
    /// The newest seq in the log.
    pub newest: watch::Receiver<u64>,
    pub reached: watch::Sender<Reached>,
}

impl Relay {
    /// Runs until cancelled, or until another owner is found.
    pub async fn run(self, token: CancellationToken) {
        token
            .run_until_cancelled_owned(Box::pin(self.carry()))
            .await;
    }

    /// Returns only when somebody else owns the session.
    async fn carry(self) {
        let Self {
            client,
            identity,
            reader,
            objects,
            mut newest,
            reached,
        } = self;
        let started = Instant::now();
        let mut connection = client.connection();
        let mut generation = connection.borrow_and_update().generation;
        let mut machine = Machine::new(identity.epoch, *newest.borrow_and_update());
        let carrier = Carrier::new(client, identity, reader, objects);
        let mut log_grows = true;
        // Dropping what is under way only gives up its answer: reading the last event tells the rest.
        let mut under_way = carrier.perform(Effect::Locate);
        loop {
            let input = tokio::select! {
                input = answer(&mut under_way) => {
                    under_way = None;
                    input
                }
                changed = newest.changed(), if log_grows => {
                    // Without the session's task nothing more is written, and what was still leaves.
                    log_grows = changed.is_ok();
                    Input::Newest(*newest.borrow_and_update())
                }
                Ok(()) = connection.changed() => {
                    let now = connection.borrow_and_update().generation;
                    if std::mem::replace(&mut generation, now) == now {
                        continue;
                    }
                    Input::Reconnected
                }
                () = due(machine.wake_at().map(|at| started + at)) => Input::Woken,
            };
            for effect in machine.step(started.elapsed(), input) {
                match effect {
                    Effect::Report(it) => {
                        reached.send_replace(it);
                        if it == Reached::FormerOwner {
                            tracing::error!(
                                "another runner owns this session now; stopped sending its events"
                            );
                            return;
                        }
                    }
                    Effect::Locate | Effect::Publish { .. } => under_way = carrier.perform(effect),
                }
            }
        }
    }
}

async fn answer(under_way: &mut Option<carrier::Answer<'_>>) -> Input {
    match under_way {
        Some(answer) => answer.await,
        None => std::future::pending().await,
    }
}

async fn due(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
pub(crate) mod model;
#[cfg(test)]
mod schedules;
#[cfg(test)]
mod tests;
