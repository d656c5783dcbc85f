//! How the runner looks at a worktree: with an index, objects and a base of its own, in a bare repository the agent
//! cannot reach. The worktree's `.git` belongs to the agent, which may put anything there; nothing is read from it.
//! Owns what a file was when it was last looked at; does not know what is made of a change.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use git2::{Delta, DiffOptions, Index, IndexEntry, IndexTime, Oid, Repository};

use super::lock::{Lock, lock};
use super::store::Store;
use super::{Error, Worktree, repository};

const BASE: &str = "refs/view/base";

/// A larger file is seen to change, but not kept: nobody reads its patch, and copies of it fill the disk.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// New content kept in one look. Beyond it (an unpacked archive, a forgotten ignore rule) files are only seen to be there.
const LOOK_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What stands for the content of a file that is not kept. With size and time in it, so that a change is a change.
const STAND_IN: &[u8] = b"flotilla: content not kept\n";

pub(super) struct View {
    pub(super) repository: Repository,
    worktree: PathBuf,
    _lock: Lock,
}

/// How much of what is found is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// What people look at.
    Readable,
    /// Everything, because the worktree is about to go.
    Whole,
}

/// Makes the view of a worktree that was just checked out at `base` and that no agent has touched yet.
pub(super) fn make(path: &Path, store: &Store, worktree: &Path, base: Oid) -> Result<(), Error> {
    let made = repository::init(path, true, Some(store.path())).and_then(|view| {
        // Most of what is written is read once or never.
        view.config()?.set_i32("core.looseCompression", 1)?;
        view.reference(BASE, base, true, "session started")
            .map(drop)
    });
    made.map_err(|source| Error::Create {
        path: path.to_owned(),
        source,
    })?;
    let git = worktree.join(".git");
    // It says what every file looked like when it was checked out, so the first look need not read them all.
    fs::copy(git.join("index"), path.join("index")).map_err(Error::write(path))?;
    match fs::copy(git.join("shallow"), path.join("shallow")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::write(path)(error)),
        Ok(_) | Err(_) => Ok(()),
    }
}

impl View {
    /// Waits for whoever else is looking.
    pub(super) fn open(worktree: &Worktree) -> Result<Self, Error> {
        if !worktree.path.is_dir() || !worktree.view.is_dir() {
            return Err(Error::NoWorktree(worktree.path.clone()));
        }
        let lock = lock(&worktree.view)?;
        let opened = repository::open(&worktree.view).and_then(|repository| {
            repository.set_workdir(&worktree.path, false)?;
            Ok(repository)
        });
        let repository = opened.map_err(|source| Error::Look {
            path: worktree.path.clone(),
            source,
        })?;
        Ok(Self {
            repository,
            worktree: worktree.path.clone(),
            _lock: lock,
        })
    }

    /// Looks at every file whose size or time has changed and returns the tree of what is there now.
    pub(super) fn look(&self, extent: Extent) -> Result<Oid, git2::Error> {
        let mut index = self.index()?;
        if extent == Extent::Whole {
            self.forget_stand_ins(&mut index)?;
        }
        let (gone, changed) = self.differences(&index)?;
        for path in &gone {
            index.remove_path(path)?;
        }
        let mut budget = LOOK_BYTES_MAX;
        for path in &changed {
            self.take(&mut index, path, extent, &mut budget)?;
        }
        if !gone.is_empty() || !changed.is_empty() {
            index.write()?;
        }
        index.write_tree_to(&self.repository)
    }

    /// What was seen the last time. It is not forced out to the disk: one that a power cut spoiled is forgotten, and every
    /// file is looked at anew.
    fn index(&self) -> Result<Index, git2::Error> {
        self.repository.index().or_else(|error| {
            tracing::warn!(%error, "what was seen of a worktree cannot be read; all of it is looked at anew");
            // That it is gone already is as good; that it stays is told by the next line.
            fs::remove_file(self.repository.path().join("index")).ok();
            self.repository.index()
        })
    }

    /// The tree of the commit the session started from.
    pub(super) fn base(&self) -> Result<Oid, git2::Error> {
        Ok(self.repository.find_reference(BASE)?.peel_to_tree()?.id())
    }

    pub(super) fn base_commit(&self) -> Result<Oid, git2::Error> {
        Ok(self.repository.find_reference(BASE)?.peel_to_commit()?.id())
    }

    /// Paths that are in the index but not in the worktree, and those that are new or different there.
    fn differences(&self, index: &Index) -> Result<(Vec<PathBuf>, Vec<PathBuf>), git2::Error> {
        let mut options = DiffOptions::new();
        options
            .include_untracked(true)
            .recurse_untracked_dirs(true)
            .include_typechange(true)
            .ignore_submodules(true);
        let diff = self
            .repository
            .diff_index_to_workdir(Some(index), Some(&mut options))?;
        let (mut gone, mut changed) = (Vec::new(), Vec::new());
        for delta in diff.deltas() {
            let Some(path) = delta.new_file().path().or(delta.old_file().path()) else {
                continue;
            };
            // A repository inside the worktree is one entry with a slash at its end: somebody else's files.
            if path.as_os_str().as_bytes().ends_with(b"/") {
                continue;
            }
            if delta.status() == Delta::Deleted {
                gone.push(path.to_owned())
            } else {
                changed.push(path.to_owned())
            }
        }
        Ok((gone, changed))
    }

    fn take(
        &self,
        index: &mut Index,
        path: &Path,
        extent: Extent,
        budget: &mut u64,
    ) -> Result<(), git2::Error> {
        let Ok(metadata) = fs::symlink_metadata(self.worktree.join(path)) else {
            return Ok(()); // gone since; the next look sees that
        };
        let bytes = metadata.len();
        let keep = extent == Extent::Whole
            || metadata.is_symlink()
            || (bytes <= FILE_BYTES_MAX && bytes <= *budget);
        if !keep {
            return self.take_stand_in(index, path, &metadata);
        }
        *budget = budget.saturating_sub(bytes);
        match index.add_path(path) {
            // Gone or made unreadable since: not a reason to see nothing at all.
            Err(error) => {
                tracing::debug!(path = %path.display(), %error, "could not look at a file of the worktree");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn take_stand_in(
        &self,
        index: &mut Index,
        path: &Path,
        metadata: &Metadata,
    ) -> Result<(), git2::Error> {
        let said = format!(
            "{} bytes, {}.{:09}\n",
            metadata.len(),
            metadata.mtime(),
            metadata.mtime_nsec()
        );
        let id = self
            .repository
            .blob(&[STAND_IN, said.as_bytes()].concat())?;
        index.add(&entry(path, metadata, id))
    }

    fn forget_stand_ins(&self, index: &mut Index) -> Result<(), git2::Error> {
        let objects = self.repository.odb()?;
        let mut known = HashSet::new();
        let mut stand_ins = Vec::new();
        for entry in index.iter() {
            // Only where the sizes do not fit is it worth reading what is kept.
            let kept = objects.read_header(entry.id).map_or(0, |(bytes, _)| bytes);
            if kept != entry.file_size as usize
                && known.insert(entry.id)
                && is_stand_in(&self.repository, entry.id)
            {
                stand_ins.push(entry.path);
            }
        }
        for path in stand_ins {
            index.remove_path(Path::new(std::ffi::OsStr::from_bytes(&path)))?;
        }
        Ok(())
    }
}

/// Whether a file's content was not kept.
pub(super) fn is_stand_in(repository: &Repository, blob: Oid) -> bool {
    repository
        .find_blob(blob)
        .is_ok_and(|blob| blob.content().starts_with(STAND_IN))
}

/// What the index would hold had the file itself been added, so that an unchanged file is not looked at again.
fn entry(path: &Path, metadata: &Metadata, id: Oid) -> IndexEntry {
    // The index holds the low 32 bits of all of these.
    let time = |seconds: i64, nanoseconds: i64| IndexTime::new(seconds as i32, nanoseconds as u32);
    IndexEntry {
        ctime: time(metadata.ctime(), metadata.ctime_nsec()),
        mtime: time(metadata.mtime(), metadata.mtime_nsec()),
        dev: metadata.dev() as u32,
        ino: metadata.ino() as u32,
        mode: if metadata.mode() & 0o100 == 0 {
            0o100_644
        } else {
            0o100_755
        },
        uid: metadata.uid(),
        gid: metadata.gid(),
        file_size: metadata.len() as u32,
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_os_str().as_bytes().to_vec(),
    }
}
