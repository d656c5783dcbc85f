//! Forcing files out to the disk, so that what was promised survives a power cut.
//!
//! A write is only in memory until it is forced out, and so is a name: a rename that was not followed by a sync of its
//! folder may be undone. Knows nothing of what the files are for.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Forces out which names a folder has.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Forces out everything that was written to the file system of `folder`: for what consists of too many files to do it
/// one by one.
pub(crate) fn sync_file_system(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(folder)?)?)
}

/// Whether two folders are on different file systems, or that cannot be told.
pub(crate) fn are_apart(one: &Path, other: &Path) -> bool {
    let device = |path: &Path| path.metadata().ok().map(|it| it.dev());
    device(one).is_none() || device(one) != device(other)
}
