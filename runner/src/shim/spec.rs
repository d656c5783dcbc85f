//! What a shim is told to start: read from a file, because a command line is readable by every process on the machine.
//! Owns the file's shape and its mode; does not know who launches it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Nobody claimed the agent for this long: whoever owned it is not coming back by itself.
const UNCLAIMED_SECONDS_DEFAULT: u64 = 60 * 60;

/// What an agent may print while no runner takes it, before it has to wait. Large enough for a night of a talkative
/// agent, small enough that a host with twenty of them does not fall over.
const BACKLOG_BYTES_MAX_DEFAULT: usize = 64 * 1024 * 1024;

/// How `flotilla shim` is called: everything else stands in the spec.
#[derive(Debug, Clone)]
pub struct ShimOptions {
    /// The file a [`ShimSpec`] was written to. It is removed once read: it may hold the agent's credentials.
    pub spec: PathBuf,
}

/// One agent to start and how to look after it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShimSpec {
    pub program: PathBuf,
    #[serde(default)]
    pub args: Vec<String>,
    /// The agent's whole environment; nothing is inherited.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    pub cwd: PathBuf,
    pub socket: PathBuf,
    #[serde(default = "unclaimed_seconds_default")]
    pub unclaimed_seconds: u64,
    #[serde(default = "backlog_bytes_max_default")]
    pub backlog_bytes_max: usize,
    /// The user whose runner may attach, when that is not the user the shim runs as.
    #[serde(default)]
    pub runner_uid: Option<u32>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not write the shim's spec `{path}`")]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("could not read the shim's spec `{path}`")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the shim's spec `{path}` is not one")]
    Parse {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
}

impl ShimSpec {
    /// A spec with the default limits, no arguments and an empty environment.
    pub fn new(
        program: impl Into<PathBuf>,
        cwd: impl Into<PathBuf>,
        socket: impl Into<PathBuf>,
    ) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            cwd: cwd.into(),
            socket: socket.into(),
            unclaimed_seconds: UNCLAIMED_SECONDS_DEFAULT,
            backlog_bytes_max: BACKLOG_BYTES_MAX_DEFAULT,
            runner_uid: None,
        }
    }

    /// Writes the spec where only this user can read it, replacing one that is there.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let text = serde_json::to_vec(self).map_err(|source| Error::Parse {
            path: path.to_owned(),
            source,
        })?;
        write_private(path, &text).map_err(|source| Error::Write {
            path: path.to_owned(),
            source,
        })
    }

    /// Reads a spec and removes its file. That the file cannot be removed is no reason not to start.
    pub(super) fn take(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let spec = serde_json::from_slice(&text).map_err(|source| Error::Parse {
            path: path.to_owned(),
            source,
        })?;
        if let Err(error) = std::fs::remove_file(path) {
            tracing::warn!(path = %path.display(), %error, "could not remove the shim's spec after reading it");
        }
        Ok(spec)
    }
}

/// Names the environment's keys and no value: values are where the credentials are.
impl fmt::Debug for ShimSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShimSpec")
            .field("program", &self.program)
            .field("args", &self.args)
            .field("env", &self.env.keys().collect::<Vec<_>>())
            .field("cwd", &self.cwd)
            .field("socket", &self.socket)
            .field("unclaimed_seconds", &self.unclaimed_seconds)
            .field("backlog_bytes_max", &self.backlog_bytes_max)
            .field("runner_uid", &self.runner_uid)
            .finish()
    }
}

/// Removed first, so that an older file with a wider mode does not lend its mode to this one.
fn write_private(path: &Path, text: &[u8]) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?
        .write_all(text)
}

fn unclaimed_seconds_default() -> u64 {
    UNCLAIMED_SECONDS_DEFAULT
}

fn backlog_bytes_max_default() -> usize {
    BACKLOG_BYTES_MAX_DEFAULT
}
