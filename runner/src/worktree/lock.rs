//! One at a time on a repository of ours: libgit2 refuses a second writer, we let it wait.

use std::fs::{File, OpenOptions};
use std::path::Path;

use rustix::fs::FlockOperation;

use super::Error;

/// Held until dropped.
pub(super) struct Lock {
    _file: File,
}

/// Waits for whoever works in `repository`, in this process or another.
pub(super) fn lock(repository: &Path) -> Result<Lock, Error> {
    let path = repository.join("flotilla.lock");
    let opened = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file = opened.map_err(Error::write(&path))?;
    rustix::fs::flock(&file, FlockOperation::LockExclusive)
        .map_err(|source| Error::write(&path)(source.into()))?;
    Ok(Lock { _file: file })
}
