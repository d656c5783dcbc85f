//! What can go wrong around a worktree, in words for the person who asked for a session.

use std::io;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{path}` is not a git repository")]
    NotARepository {
        path: PathBuf,
        #[source]
        source: git2::Error,
    },
    #[error("`{path}` has no commit yet: make a first commit, a session starts from one")]
    NoCommit { path: PathBuf },
    #[error("there is no branch or commit `{base}` in `{path}`")]
    UnknownBase { path: PathBuf, base: String },
    #[error("`{0}` can not be part of a file name or a branch")]
    Name(String),
    #[error("there is a worktree at `{0}` already")]
    WorktreeExists(PathBuf),
    #[error("there is no worktree of a session at `{0}`")]
    NoWorktree(PathBuf),
    #[error("the repository at `{0}` is not the one that was made there")]
    Tampered(PathBuf),
    #[error("branch `{0}` exists already")]
    BranchExists(String),
    #[error("the snapshot `{0}` is not of this worktree")]
    UnknownSnapshot(String),
    #[error("could not read the repository `{path}`")]
    Read {
        path: PathBuf,
        #[source]
        source: git2::Error,
    },
    #[error("could not take over the commits of `{path}`")]
    Fetch {
        path: PathBuf,
        #[source]
        source: git2::Error,
    },
    #[error("could not make the worktree `{path}`")]
    Create {
        path: PathBuf,
        #[source]
        source: git2::Error,
    },
    #[error("could not look at the worktree `{path}`")]
    Look {
        path: PathBuf,
        #[source]
        source: git2::Error,
    },
    #[error("could not keep the work in `{path}`")]
    Keep {
        path: PathBuf,
        #[source]
        source: git2::Error,
    },
    #[error("could not write `{path}`")]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// For `map_err` where a file or folder of ours is written.
    pub(super) fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Write { path, source }
    }
}
