//! What the relay does when its machine says so: reads the last event, and publishes rows with the objects they need.
//!
//! Every trouble is told once here, with its reason, and to the machine without. Decides nothing.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nats::Client;
use nats::client::{EventRow, PublishError};

use super::machine::{Effect, Input, Last, Located, Manner, Position, Published, Trouble};
use crate::session::log::{self, Identity, Reader};

/// Bytes of one round: a slow line must not hold one publish for longer than its timeout.
const BYTES_MAX: usize = 2 * 1024 * 1024;

/// What is under way, and the machine's input when it is done.
pub(super) type Answer<'a> = Pin<Box<dyn Future<Output = Input> + Send + 'a>>;

pub(super) struct Carrier {
    client: Client,
    identity: Identity,
    reader: Reader,
    objects: PathBuf,
    /// Rows whose objects this server has: a publish that is tried again does not send them again.
    stored_objects: Mutex<StoredObjects>,
}

#[derive(Default)]
struct StoredObjects {
    generation: u64,
    seqs: BTreeSet<u64>,
}

#[derive(Debug, thiserror::Error)]
enum NotReady {
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

impl Carrier {
    pub(super) fn new(
        client: Client,
        identity: Identity,
        reader: Reader,
        objects: PathBuf,
    ) -> Self {
        Self {
            client,
            identity,
            reader,
            objects,
            stored_objects: Mutex::default(),
        }
    }

    /// Begins what an effect asks for; `None` when that is nothing of ours.
    pub(super) fn perform(&self, effect: Effect) -> Option<Answer<'_>> {
        match effect {
            Effect::Locate => Some(Box::pin(async { Input::Located(self.locate().await) })),
            Effect::Publish { after, manner } => Some(Box::pin(async move {
                Input::Published(self.publish(after, manner).await)
            })),
            Effect::Report(_) => None,
        }
    }

    async fn locate(&self) -> Located {
        self.client.connected().await;
        self.unless_lost(self.read_last())
            .await
            .unwrap_or(Located::Unreadable)
    }

    async fn read_last(&self) -> Located {
        let Identity { session, host, .. } = &self.identity;
        let last = match self.client.last_event(host, *session).await {
            Ok(None) => return Located::Nothing,
            Ok(Some(last)) => last,
            Err(error) => {
                tracing::debug!(
                    error = crate::chain(&error),
                    "could not read the session's last event; trying again"
                );
                return Located::Unreadable;
            }
        };
        match tokio::task::block_in_place(|| self.reader.id_of(last.seq)) {
            Ok(id) => Located::Last(Last {
                epoch: last.epoch,
                position: Position {
                    seq: last.seq,
                    stream_sequence: last.stream_sequence,
                },
                ours: id.is_none_or(|id| id == last.id),
            }),
            Err(error) => {
                tracing::warn!(
                    error = crate::chain(&error),
                    "could not compare the session's last event with the log; trying again"
                );
                Located::Unreadable
            }
        }
    }

    async fn publish(&self, after: Position, manner: Manner) -> Published {
        if !self.client.connection().borrow().up {
            // It would wait in the client's buffer, be given up, and arrive all the same.
            return ended(Trouble::NoAnswer);
        }
        self.unless_lost(self.publish_rows(after, manner))
            .await
            .unwrap_or(ended(Trouble::NoAnswer))
    }

    async fn publish_rows(&self, after: Position, manner: Manner) -> Published {
        let (rows_max, batch) = match manner {
            Manner::Singles { rows_max } => (rows_max, false),
            Manner::Batch { rows_max } => (rows_max, true),
        };
        let rows = match self.prepare(after.seq, rows_max).await {
            Ok(rows) => rows,
            Err(error @ NotReady::Log(log::Error::RowsGone { .. })) => {
                tracing::error!(
                    error = crate::chain(&error),
                    "the server has lost events that this host no longer keeps; the session's later events wait here"
                );
                return ended(Trouble::RowsGone);
            }
            Err(error) => {
                tracing::warn!(
                    error = crate::chain(&error),
                    "could not prepare events for sending; trying again"
                );
                return ended(Trouble::NotReady);
            }
        };
        let Identity { session, host, .. } = &self.identity;
        let (stored, sequence, result) = self
            .client
            .publish_events(host, *session, after.stream_sequence, &rows, batch)
            .await;
        let row = stored.checked_sub(1).and_then(|last| rows.get(last));
        Published {
            stored: row.map(|row| Position {
                seq: row.seq,
                stream_sequence: sequence,
            }),
            ended: result.map_err(|refusal| trouble(&refusal)),
        }
    }

    /// An answer is lost with its connection; there is no use in waiting for the timeout.
    async fn unless_lost<T>(&self, answer: impl Future<Output = T>) -> Option<T> {
        let mut connection = self.client.connection();
        let generation = connection.borrow_and_update().generation;
        tokio::select! {
            answer = answer => Some(answer),
            _ = connection.wait_for(|now| now.generation != generation) => None,
        }
    }

    /// The next rows, their objects stored.
    async fn prepare(&self, after: u64, rows_max: usize) -> Result<Vec<EventRow>, NotReady> {
        let read = || {
            self.reader
                .rows_after(&self.identity, after, rows_max, BYTES_MAX)
        };
        // A single row was written a moment ago and is in memory: to leave the thread for it would take longer.
        let found = if rows_max == 1 {
            read()
        } else {
            tokio::task::block_in_place(read)
        }?;
        let mut rows = Vec::with_capacity(found.len());
        for (row, object) in found {
            if let Some(name) = object {
                self.store_object(row.seq, &name).await?;
            }
            rows.push(row);
        }
        Ok(rows)
    }

    async fn store_object(&self, seq: u64, name: &str) -> Result<(), NotReady> {
        // A server that came back may have lost what it had.
        let generation = self.client.connection().borrow().generation;
        if self.stored_objects(generation).seqs.contains(&seq) {
            return Ok(());
        }
        let path = self.objects.join(format!("{seq}.json"));
        let bytes = match tokio::fs::read(&path).await {
            Ok(bytes) => bytes,
            // The row shows what matters; a session that says nothing more for ever would be worse than a missing whole.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                tracing::error!(path = %path.display(), "the whole of a big event is gone from this host; its row is sent without");
                return Ok(());
            }
            Err(source) => return Err(NotReady::Object { path, source }),
        };
        self.client
            .put_object(&self.identity.host, name, &bytes)
            .await?;
        self.stored_objects(generation).seqs.insert(seq);
        Ok(())
    }

    fn stored_objects(&self, generation: u64) -> MutexGuard<'_, StoredObjects> {
        let mut stored = self
            .stored_objects
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if stored.generation != generation {
            *stored = StoredObjects {
                generation,
                seqs: BTreeSet::new(),
            };
        }
        stored
    }
}

const fn ended(trouble: Trouble) -> Published {
    Published {
        stored: None,
        ended: Err(trouble),
    }
}

fn trouble(refusal: &PublishError) -> Trouble {
    match refusal {
        PublishError::WrongLastSequence => Trouble::WrongLast,
        PublishError::TimedOut => Trouble::NoAnswer,
        PublishError::BatchRefused(reason) => {
            tracing::info!(reason, "sending events one by one for a while");
            Trouble::BatchRefused
        }
        PublishError::NoRoom(_) | PublishError::Refused(_) => {
            tracing::error!(%refusal, "the server takes no events; they are kept here and sent again");
            Trouble::NotTaken
        }
    }
}
