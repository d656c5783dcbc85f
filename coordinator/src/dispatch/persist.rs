//! Keeps at a write until NATS has it.
//!
//! While NATS is away, restarts or has no leader, what people ask for waits here, bounded in time and in size, and is
//! sent again under its own id: every write expects nothing on its own subject, so sending it again changes nothing.
//! Writes of one session go out in the order in which they came. Deliberately knows nothing of what is written.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use nats::client::{self, Connection, PublishError, WriteError};
use nats::ids::SessionId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Duration, Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

/// A restarted server is back in seconds and a moved one in a minute. What waits longer is better told to its sender.
pub const HELD_FOR: Duration = Duration::from_secs(120);
/// What may wait at once, in memory that a small machine can spare.
const HELD_BYTES_MAX: usize = 256 * 1024 * 1024;
/// The least that anything counts for, so that the number of those who wait has a bound too: 4,096.
const UNIT_BYTES: usize = 64 * 1024;
/// Between two attempts while NATS is there and does not take it, doubling.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Why a write was given up. It may have arrived all the same: sending it again is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("NATS did not take it within {} s", HELD_FOR.as_secs())]
    NotInTime,
    #[error("too much waits for NATS already")]
    TooMuchWaits,
    #[error("the coordinator ends")]
    Ending,
}

/// A failure that knows whether the same may do better in a moment.
pub trait Passing: std::fmt::Debug {
    fn is_passing(&self) -> bool;
}

impl Passing for client::Error {
    fn is_passing(&self) -> bool {
        self.is_passing()
    }
}

impl Passing for PublishError {
    fn is_passing(&self) -> bool {
        self.is_passing()
    }
}

impl Passing for WriteError {
    fn is_passing(&self) -> bool {
        self.is_passing()
    }
}

/// Where writes wait. Cheap to clone; all clones share the room.
#[derive(Clone)]
pub struct Persist {
    connection: watch::Receiver<Connection>,
    room: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    lines: Arc<Mutex<HashMap<SessionId, Line>>>,
    ending: CancellationToken,
}

/// Those who write for one session, one after the other.
type Line = Weak<tokio::sync::Mutex<()>>;

impl Persist {
    /// `ending` lets go of all that waits.
    #[must_use]
    pub fn new(connection: watch::Receiver<Connection>, ending: CancellationToken) -> Self {
        Self {
            connection,
            room: Arc::new(Semaphore::new(HELD_BYTES_MAX / UNIT_BYTES)),
            waiting: Arc::default(),
            lines: Arc::default(),
            ending,
        }
    }

    /// Attempts a write of about `bytes` until it is stored or refused. With a `session`, after those that came before.
    pub async fn until_stored<T, E, F>(
        &self,
        session: Option<SessionId>,
        bytes: usize,
        attempt: impl Fn() -> F,
    ) -> Result<Result<T, E>, Error>
    where
        E: Passing,
        F: Future<Output = Result<T, E>>,
    {
        let mut waiting = Waiting::new(self, bytes);
        let line = session.map(|session| self.line(session));
        let _turn = match &line {
            Some(line) => match line.try_lock() {
                Ok(turn) => Some(turn),
                Err(_) => Some(waiting.until(line.lock()).await?),
            },
            None => None,
        };
        let mut connection = self.connection.clone();
        let mut pause = PAUSE_FIRST;
        loop {
            let before = *connection.borrow_and_update();
            if !before.up {
                waiting.until(connected(&mut connection)).await?;
                continue;
            }
            let attempted = tokio::select! {
                attempted = attempt() => attempted,
                // Its answer went with the connection.
                () = lost(&mut connection, before) => continue,
            };
            match attempted {
                Err(error) if error.is_passing() => {
                    tracing::debug!(?error, "NATS does not take a write yet");
                    let woken = async {
                        tokio::select! {
                            () = sleep(pause) => {}
                            () = lost(&mut connection, before) => {}
                        }
                    };
                    waiting.until(woken).await?;
                    pause = PAUSE_MAX.min(pause * 2);
                }
                settled => return Ok(settled),
            }
        }
    }

    /// Waits for something that must be there before a write can be made, within the same bounds.
    pub async fn until<T>(&self, ready: impl Future<Output = T>) -> Result<T, Error> {
        Waiting::new(self, 0).until(ready).await
    }

    /// How many wait at the moment.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    fn line(&self, session: SessionId) -> Arc<tokio::sync::Mutex<()>> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|_, line| line.strong_count() > 0);
        if let Some(line) = lines.get(&session).and_then(Weak::upgrade) {
            return line;
        }
        let line = Arc::default();
        lines.insert(session, Arc::downgrade(&line));
        line
    }
}

/// One write's patience: when it ends, and the room it takes from its first wait on.
struct Waiting<'a> {
    persist: &'a Persist,
    deadline: Instant,
    units: u32,
    room: Option<OwnedSemaphorePermit>,
}

impl<'a> Waiting<'a> {
    fn new(persist: &'a Persist, bytes: usize) -> Self {
        Self {
            persist,
            deadline: Instant::now() + HELD_FOR,
            units: u32::try_from(1 + bytes / UNIT_BYTES).unwrap_or(u32::MAX),
            room: None,
        }
    }

    async fn until<T>(&mut self, ready: impl Future<Output = T>) -> Result<T, Error> {
        if self.room.is_none() {
            let room = self.persist.room.clone();
            let taken = room.try_acquire_many_owned(self.units);
            self.room = Some(taken.map_err(|_| Error::TooMuchWaits)?);
            self.persist.waiting.fetch_add(1, Ordering::Relaxed);
        }
        tokio::select! {
            ready = timeout_at(self.deadline, ready) => ready.map_err(|_| Error::NotInTime),
            () = self.persist.ending.cancelled() => Err(Error::Ending),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.room.is_some() {
            self.persist.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

async fn connected(connection: &mut watch::Receiver<Connection>) {
    // The sender lives as long as the client; without it nothing ever comes back, and the deadline says so.
    if connection.wait_for(|now| now.up).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Ends when the connection is not the one that it was.
async fn lost(connection: &mut watch::Receiver<Connection>, before: Connection) {
    if connection.wait_for(|now| *now != before).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
