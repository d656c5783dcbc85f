//! Every session of this host: found again at start, and reached by its id.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nats::command::{Order, SessionReport, SessionStart};
use nats::ids::{HostName, SessionId};
use nats::report::{Answer, ReportMessage, StartRefused};
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

    /// Starts a session unless it is there, or refuses it when there is no slot for it.
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
        let was_refused = session::is_refused(&paths, order.epoch);
        if was_refused || !self.parts.slots.reserve(order.session) {
            if !was_refused {
                session::refuse(&paths, order.epoch).map_err(|source| Error::Folder {
                    path: paths.refused(),
                    source,
                })?;
            }
            self.tell_refused(order);
            return Ok(());
        }
        let created = tokio::task::block_in_place(|| Task::create(&self.parts, order, start));
        let handle = created.inspect_err(|_| self.parts.slots.give_back(order.session))?;
        handles.insert(order.session, handle);
        Ok(())
    }

    /// Says that there is no slot. It may get lost: a start that nothing came of is sent again.
    fn tell_refused(&self, order: &Order) {
        let counts = self.parts.slots.counts();
        let reason = format!(
            "every slot is taken: {} agents run and {} sessions wait",
            counts.held, counts.waiting
        );
        tracing::info!(session.id = %order.session, reason, "a session was refused");
        let answer = Answer::StartRefused(StartRefused { reason });
        self.answer(order.session, order.epoch, answer);
    }

    /// Gives a session a command. Returns once it is on disk there.
    pub async fn tell(&self, order: Order) -> Result<(), Error> {
        if !self.paths(order.session).database().exists()
            && session::is_refused(&self.paths(order.session), order.epoch)
        {
            // Said to a session that will not be here: whoever said it keeps it for the host that gets it.
            return Ok(());
        }
        let handle = self.handle(order.session)?;
        let (theirs, ours) = (order.epoch, handle.epoch());
        if theirs != ours {
            return Err(Error::OtherEpoch { theirs, ours });
        }
        handle.tell(order).await.map_err(|_| Error::NotRunning)
    }

    /// Answers how a session's log stands, beside all else that goes on.
    pub fn report(&self, order: &Order, asked: SessionReport) {
        let paths = self.paths(order.session);
        let (ask, epoch) = (order.id, order.epoch);
        let sessions = self.clone();
        self.parts.tasks.spawn(async move {
            let report = session::report(&paths, ask, asked).await;
            sessions.answer(paths.session(), epoch, Answer::Report(report));
        });
    }

    fn answer(&self, session: SessionId, epoch: u64, answer: Answer) {
        let client = self.parts.client.clone();
        let message = ReportMessage {
            v: nats::envelope::VERSION,
            session,
            host: self.parts.host.name.clone(),
            epoch,
            at: Timestamp::now(),
            body: Wire::Known(answer),
        };
        self.parts.tasks.spawn(async move {
            if let Err(error) = client.publish_report(&message).await {
                tracing::warn!(session.id = %session, error = %crate::chain(&error), "an answer could not be sent; who asked asks again");
            }
        });
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
