//! Where a session keeps what on its host.

use std::path::{Path, PathBuf};

use nats::ids::SessionId;

/// The folder of one session, `DIR/sessions/<id>`.
#[derive(Debug, Clone)]
pub struct SessionPaths {
    folder: PathBuf,
    session: SessionId,
}

impl SessionPaths {
    #[must_use]
    pub fn new(sessions: &Path, session: SessionId) -> Self {
        Self {
            folder: sessions.join(session.to_string()),
            session,
        }
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Inbox, log and state.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.folder.join("session.db")
    }

    /// The epoch in which this host has refused to begin the session.
    #[must_use]
    pub fn refused(&self) -> PathBuf {
        self.folder.join("refused")
    }

    /// What is too big to travel in a row, until the relay has carried it away.
    #[must_use]
    pub fn objects(&self) -> PathBuf {
        self.folder.join("objects")
    }

    /// The shim of one agent process keeps its log and socket here.
    #[must_use]
    pub fn shim(&self, generation: u32) -> PathBuf {
        self.folder.join(format!("shim-{generation}"))
    }

    #[must_use]
    pub fn socket(&self, generation: u32) -> PathBuf {
        self.shim(generation).join("socket")
    }

    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.session
    }
}
