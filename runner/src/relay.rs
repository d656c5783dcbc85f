//! Carries a session's log to EVENTS: in order, each row once, for as long as it takes.
//!
//! The truth is the log; hints say when to look. Every publish names the last event the server must hold, so a
//! successor stops us and a lost acknowledgement is found out by reading the session's last event. It deliberately
//! knows nothing of what the rows mean.

use std::path::PathBuf;
use std::time::Duration;

use nats::Client;
use nats::client::{EventRow, PublishError};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::session::log::{self, Identity, Reader};

/// Rows of one round, as many as an atomic batch takes.
const ROWS_MAX: usize = 500;
/// Bytes of one round: a slow line must not hold one publish for longer than its timeout.
const BYTES_MAX: usize = 2 * 1024 * 1024;
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_secs(1);
/// The server frees abandoned batches after ten seconds; until then singles work.
const PAUSE_FROM_BATCHES: Duration = Duration::from_secs(10);

/// How far the server's copy of the log reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    UpTo(u64),
    /// Somebody else writes this session's events now.
    FormerOwner,
}

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

/// The newest of our events that the server holds; zeros for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    seq: u64,
    stream_sequence: u64,
}

#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Log(#[from] log::Error),
    #[error(transparent)]
    Nats(#[from] nats::client::Error),
    #[error("could not read `{path}`, which an event needs")]
    Object {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

impl Relay {
    /// Runs until cancelled, or until another owner is found.
    pub async fn run(mut self, token: CancellationToken) {
        let owned = token.run_until_cancelled_owned(async move {
            Box::pin(self.carry()).await;
            self.reached.send_replace(Reached::FormerOwner);
            tracing::error!(session.id = %self.identity.session, "another runner owns this session now; stopped sending its events");
        });
        Box::pin(owned).await;
    }

    /// Returns only when somebody else owns the session.
    async fn carry(&mut self) {
        let mut batches_from = Instant::now();
        'located: loop {
            let Some(mut position) = self.locate().await else {
                return;
            };
            self.reached.send_replace(Reached::UpTo(position.seq));
            loop {
                if self
                    .newest
                    .wait_for(|newest| *newest > position.seq)
                    .await
                    .is_err()
                {
                    // The session's task is gone and with it the log's writer: nothing more can come.
                    std::future::pending::<()>().await;
                }
                let rows = match self.prepare(position.seq).await {
                    Ok(rows) => rows,
                    Err(trouble) => {
                        tracing::warn!(session.id = %self.identity.session, error = crate::chain(&trouble), "could not prepare events for sending; trying again");
                        tokio::time::sleep(PAUSE_AFTER_REFUSAL).await;
                        continue;
                    }
                };
                let (stored, refusal) = self
                    .publish(&mut position, &rows, Instant::now() >= batches_from)
                    .await;
                if stored > 0 {
                    self.reached.send_replace(Reached::UpTo(position.seq));
                }
                match refusal {
                    None => {}
                    // Stored or not, or somebody else's: the session's last event tells.
                    Some(PublishError::WrongLastSequence | PublishError::TimedOut) => {
                        continue 'located;
                    }
                    Some(PublishError::BatchRefused(reason)) => {
                        tracing::info!(session.id = %self.identity.session, reason, "sending events one by one for a while");
                        batches_from = Instant::now() + PAUSE_FROM_BATCHES;
                        continue 'located;
                    }
                    Some(refusal @ (PublishError::NoRoom(_) | PublishError::Refused(_))) => {
                        tracing::error!(session.id = %self.identity.session, %refusal, "the server takes no events; they are kept here and sent again");
                        tokio::time::sleep(PAUSE_AFTER_REFUSAL).await;
                        continue 'located;
                    }
                }
            }
        }
    }

    /// Where the server's copy ends. `None` when its end is not ours.
    async fn locate(&self) -> Option<Position> {
        loop {
            self.client.connected().await;
            let newest = *self.newest.borrow();
            match self
                .client
                .last_event(&self.identity.host, self.identity.session)
                .await
            {
                Ok(None) => {
                    return Some(Position {
                        seq: 0,
                        stream_sequence: 0,
                    });
                }
                Ok(Some(last)) if last.epoch == self.identity.epoch && last.seq <= newest => {
                    return Some(Position {
                        seq: last.seq,
                        stream_sequence: last.stream_sequence,
                    });
                }
                Ok(Some(_)) => return None,
                Err(error) => {
                    tracing::debug!(session.id = %self.identity.session, %error, "could not read the session's last event; trying again");
                    tokio::time::sleep(PAUSE_AFTER_REFUSAL / 4).await;
                }
            }
        }
    }

    /// The next rows, their objects stored.
    async fn prepare(&self, after: u64) -> Result<Vec<EventRow>, Trouble> {
        let found = tokio::task::block_in_place(|| {
            self.reader
                .rows_after(&self.identity, after, ROWS_MAX, BYTES_MAX)
        })?;
        let mut rows = Vec::with_capacity(found.len());
        for (row, object) in found {
            if let Some(name) = object {
                let path = self.objects.join(format!("{}.json", row.seq));
                let bytes = tokio::fs::read(&path)
                    .await
                    .map_err(|source| Trouble::Object { path, source })?;
                self.client
                    .put_object(&self.identity.host, &name, &bytes)
                    .await?;
            }
            rows.push(row);
        }
        Ok(rows)
    }

    async fn publish(
        &self,
        position: &mut Position,
        rows: &[EventRow],
        batches: bool,
    ) -> (usize, Option<PublishError>) {
        let mut connection = self.client.connection();
        let generation = connection.borrow_and_update().generation;
        let publish = self.client.publish_events(
            &self.identity.host,
            self.identity.session,
            position.stream_sequence,
            rows,
            batches,
        );
        let (stored, sequence, result) = tokio::select! {
            done = publish => done,
            // The answer is lost with its connection; there is no use in waiting for the timeout.
            _ = connection.wait_for(|state| state.generation != generation) => return (0, Some(PublishError::TimedOut)),
        };
        if let Some(row) = stored.checked_sub(1).and_then(|last| rows.get(last)) {
            *position = Position {
                seq: row.seq,
                stream_sequence: sequence,
            };
        }
        (stored, result.err())
    }
}

#[cfg(test)]
mod tests;
