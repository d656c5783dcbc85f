//! Reading beside the writer: a few connections, each used by one question at a time, off the async threads.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Duration, timeout};

use super::{Error, schema};

/// Questions at once. SQLite reads from memory here; more would only queue on the two or four cores of a small host.
const CONNECTIONS_MAX: usize = 4;

/// Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    shared: Arc<Shared>,
    /// Counts committed batches.
    commits: watch::Receiver<u64>,
}

struct Shared {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Reader {
    /// `commits` changes whenever there is something new to read.
    #[must_use]
    pub fn new(path: &Path, commits: watch::Receiver<u64>) -> Self {
        Self {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                idle: Mutex::new(Vec::new()),
                permits: Semaphore::new(CONNECTIONS_MAX),
            }),
            commits,
        }
    }

    /// Asks a question.
    pub async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let Ok(_permit) = self.shared.permits.acquire().await else {
            unreachable!("the semaphore is never closed")
        };
        let shared = self.shared.clone();
        tokio::task::spawn_blocking(move || {
            let idle = shared.idle().pop();
            let connection = match idle {
                Some(connection) => connection,
                None => schema::open_to_read(&shared.path)?,
            };
            let answer = question(&connection).map_err(Error::Read)?;
            shared.idle().push(connection);
            Ok(answer)
        })
        .await
        .map_err(Error::Thread)?
    }

    /// Asks again after every commit until the answer is there, but not for longer than `bound`: a write of ours
    /// is on its way through NATS, and what it changes shall be seen by who asked for it.
    pub async fn wait_for<T: Send + 'static>(
        &self,
        bound: Duration,
        question: impl Fn(&Connection) -> rusqlite::Result<Option<T>> + Clone + Send + 'static,
    ) -> Result<Option<T>, Error> {
        let mut commits = self.commits.clone();
        let waiting = async {
            loop {
                commits.mark_unchanged();
                if let Some(answer) = self.read(question.clone()).await? {
                    return Ok(Some(answer));
                }
                if commits.changed().await.is_err() {
                    return Ok(None);
                }
            }
        };
        timeout(bound, waiting).await.unwrap_or(Ok(None))
    }
}

impl Shared {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        // A question that panicked has taken its connection with it; those that are left are sound.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
