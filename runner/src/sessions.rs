//! Every session of this host: found again at start, and reached by its id.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nats::command::{Order, SessionReport, SessionStart};
use nats::ids::{HostName, SessionId};
use nats::report::{Answer, ReportMessage};
use nats::{Timestamp, Wire};

use crate::durable;
use crate::session::paths::SessionPaths;
use crate::session::{self, Handle, Parts, Task, log};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("this host has no session {0}")]
    Unknown(SessionId),
    #[error("the command is for {host}")]
    NotOurs { host: HostName },
    #[error("it is no command that this host takes")]
    NotTaken(#[source] nats::client::Error),
    #[error("the command is of epoch {theirs} of the session, and this host has epoch {ours}")]
    OtherEpoch { theirs: u64, ours: u64 },
    #[error("the session's task has just ended")]
    NotRunning,
    #[error("could not make the session's folder `{path}`")]
    Folder {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("could not open the session's log")]
    Log(#[from] log::Error),
}

impl Error {
    /// Whether the same command may succeed later.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::NotRunning | Self::Folder { .. } | Self::Log(_) => true,
            Self::Unknown(_)
            | Self::NotOurs { .. }
            | Self::NotTaken(_)
            | Self::OtherEpoch { .. } => false,
        }
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    parts: Parts,
    handles: Arc<Mutex<BTreeMap<SessionId, Handle>>>,
}

impl Sessions {
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            parts,
            handles: Arc::default(),
        }
    }

    /// Takes up every session that this host holds and that is not over and told.
    pub fn find_again(&self) -> usize {
        let mut found = 0;
        for id in self.on_disk() {
            let paths = self.paths(id);
            if !paths.database().exists() {
                continue;
            }
            let reopened = Task::is_settled(&paths).and_then(|settled| {
                if settled {
                    Ok(None)
                } else {
                    Task::reopen(&self.parts, paths).map(Some)
                }
            });
            match reopened {
                Ok(Some(handle)) => {
                    self.lock().insert(id, handle);
                    found += 1;
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(session.id = %id, error = %crate::chain(&error), "a session could not be taken up again; its files are untouched");
                }
            }
        }
        found
    }

    /// Lets go of what EVENTS has held long enough of sessions that are over.
    pub fn prune_settled(&self) {
        for id in self.on_disk() {
            // Held meanwhile, so that nobody takes the session up in the middle of it; the log has one writer.
            let handles = self.lock();
            let paths = self.paths(id);
            if handles.get(&id).is_some_and(Handle::is_running) || !paths.database().exists() {
                continue;
            }
            if let Err(error) = Task::prune_settled(&paths) {
                tracing::warn!(session.id = %id, error = %crate::chain(&error), "could not let go of the old events of a session that is over");
            }
        }
    }

    /// Starts a session unless it is there.
    pub fn start(&self, order: &Order, start: SessionStart) -> Result<(), Error> {
        let mut handles = self.lock();
        if handles.get(&order.session).is_some_and(Handle::is_running) {
            return Ok(());
        }
        let paths = self.paths(order.session);
        if paths.database().exists() && log::Log::is_begun(&paths.database())? {
            // An ended session that was asked for once before: that command was taken then.
            return Ok(());
        }
        std::fs::create_dir_all(paths.folder()).map_err(|source| Error::Folder {
            path: paths.folder().to_owned(),
            source,
        })?;
        // The command is about to be acknowledged: from then on nobody else remembers that the session is here.
        durable::sync_folder(&self.parts.host.sessions).map_err(|source| Error::Folder {
            path: self.parts.host.sessions.clone(),
            source,
        })?;
        let handle = tokio::task::block_in_place(|| Task::create(&self.parts, order, start))?;
        handles.insert(order.session, handle);
        Ok(())
    }

    /// Gives a session a command. Returns once it is on disk there.
    pub async fn tell(&self, order: Order) -> Result<(), Error> {
        let handle = self.handle(order.session)?;
        let (theirs, ours) = (order.epoch, handle.epoch());
        if theirs != ours {
            return Err(Error::OtherEpoch { theirs, ours });
        }
        handle.tell(order).await.map_err(|_| Error::NotRunning)
    }

    /// Answers how a session's log stands, beside all else that goes on.
    pub fn report(&self, order: &Order, asked: SessionReport) {
        let (client, paths) = (self.parts.client.clone(), self.paths(order.session));
        let (ask, epoch) = (order.id, order.epoch);
        let host = self.parts.host.name.clone();
        self.parts.tasks.spawn(async move {
            let report = session::report(&paths, ask, asked).await;
            let message = ReportMessage {
                v: nats::envelope::VERSION,
                session: paths.session(),
                host,
                epoch,
                at: Timestamp::now(),
                body: Wire::Known(Answer::Report(report)),
            };
            if let Err(error) = client.publish_report(&message).await {
                tracing::warn!(session.id = %paths.session(), error = %crate::chain(&error), "a report could not be sent; who asked asks again");
            }
        });
    }

    /// How many sessions have an agent here now.
    #[must_use]
    pub fn with_agent(&self) -> u32 {
        let count = self
            .lock()
            .values()
            .filter(|handle| handle.has_agent())
            .count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// The way into a session; one that was over is taken up again.
    fn handle(&self, session: SessionId) -> Result<Handle, Error> {
        let mut handles = self.lock();
        if let Some(handle) = handles.get(&session).filter(|handle| handle.is_running()) {
            return Ok(handle.clone());
        }
        let paths = self.paths(session);
        if !paths.database().exists() {
            return Err(Error::Unknown(session));
        }
        let handle = tokio::task::block_in_place(|| Task::reopen(&self.parts, paths))?;
        handles.insert(session, handle.clone());
        Ok(handle)
    }

    fn on_disk(&self) -> Vec<SessionId> {
        let Ok(entries) = std::fs::read_dir(&self.parts.host.sessions) else {
            return Vec::new();
        };
        entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect()
    }

    fn paths(&self, session: SessionId) -> SessionPaths {
        SessionPaths::new(&self.parts.host.sessions, session)
    }

    /// A panic elsewhere ends the process, so a poisoned lock is never met with half-made changes.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<SessionId, Handle>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
