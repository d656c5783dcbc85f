//! The runner's own copy of a project's commits, from which worktrees borrow. Git's garbage collection in a person's
//! checkout cannot take anything away from a session, and a session can not reach the checkout through what it borrows.
//! Owns the bare repository; does not know who works from it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use git2::{AutotagOption, FetchOptions, FetchPrune, Oid, Repository};

use super::lock::lock;
use super::mend::mend;
use super::{Error, Project, repository};
use crate::durable;

/// What the checkout's refs are called here. Everything it has, so that any of it can be a base.
const TAKEN_OVER: [&str; 4] = [
    "+HEAD:refs/checkout/HEAD",
    "+refs/heads/*:refs/checkout/heads/*",
    "+refs/remotes/*:refs/checkout/remotes/*",
    "+refs/tags/*:refs/checkout/tags/*",
];

/// Where a base given by name is looked for, first come, first taken.
const BASES: [&str; 5] = [
    "refs/checkout/heads/",
    "refs/kept/heads/",
    "refs/checkout/remotes/",
    "refs/checkout/remotes/origin/",
    "refs/checkout/tags/",
];

/// Shorter, and a commit could be meant by accident.
const COMMIT_LETTERS_MIN: usize = 7;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    path: PathBuf,
    views: PathBuf,
}

impl Store {
    /// The store of a project below `stores`, made when it is not there.
    pub fn open(stores: &Path, project: &str) -> Result<Self, Error> {
        let project = file_name(project)?;
        let store = Self {
            path: stores.join(format!("{project}.git")),
            views: stores.join(format!("{project}.views")),
        };
        fs::create_dir_all(stores).map_err(Error::write(stores))?;
        let _lock = lock(stores)?; // two sessions may be a project's first
        if repository::open(&store.path).is_err() {
            // Not there yet, or a power cut came while it was made.
            mend(&store.path).map_err(Error::write(&store.path))?;
            let made = repository::init(&store.path, true, None);
            made.map_err(|source| Error::Create {
                path: store.path.clone(),
                source,
            })?;
            store.force_out()?;
        }
        Ok(store)
    }

    /// The bare repository.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes over every commit that the checkout's refs name. Reads the checkout and no more.
    pub fn fetch(&self, project: &Project) -> Result<(), Error> {
        let _lock = lock(&self.path)?;
        mend(&self.path).map_err(Error::write(&self.path))?;
        let fetched = self.repository().and_then(|store| {
            copy_shallow(&project.path, &store)?;
            take_over(&store, &project.path, &TAKEN_OVER, FetchPrune::On)
        });
        fetched.map_err(|source| Error::Fetch {
            path: project.path.clone(),
            source,
        })
    }

    /// Takes refs over from a repository of ours, and lets go of none.
    pub(super) fn fetch_from(&self, path: &Path, refspecs: &[&str]) -> Result<(), git2::Error> {
        take_over(&self.repository()?, path, refspecs, FetchPrune::Off)
    }

    /// The commit that a base means: a branch of the checkout, one that a session left, a remote's, a tag, a commit.
    pub(super) fn resolve(&self, base: &str) -> Result<Option<Oid>, git2::Error> {
        let store = self.repository()?;
        for prefix in BASES {
            if let Ok(reference) = store.find_reference(&format!("{prefix}{base}")) {
                return reference.peel_to_commit().map(|commit| Some(commit.id()));
            }
        }
        let is_hex = base.bytes().all(|letter| letter.is_ascii_hexdigit());
        if !is_hex || base.len() < COMMIT_LETTERS_MIN {
            return Ok(None);
        }
        Ok(store
            .find_commit_by_prefix(base)
            .ok()
            .map(|commit| commit.id()))
    }

    /// What was taken over is on the disk when this returns.
    pub(super) fn force_out(&self) -> Result<(), Error> {
        durable::sync_file_system(&self.path).map_err(Error::write(&self.path))
    }

    pub(super) fn repository(&self) -> Result<Repository, git2::Error> {
        repository::open(&self.path)
    }

    /// Where the runner's view of a session's worktree is.
    pub(super) fn view(&self, short_id: &str) -> Result<PathBuf, Error> {
        Ok(self.views.join(format!("{}.git", file_name(short_id)?)))
    }
}

/// A name that stays in its folder and is good in a branch as well.
pub(super) fn file_name(name: &str) -> Result<&str, Error> {
    let good = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let bad = name.is_empty()
        || name.starts_with(['.', '-'])
        || name.ends_with(".lock")
        || name.contains("..");
    if bad || !name.chars().all(good) {
        Err(Error::Name(name.to_owned()))
    } else {
        Ok(name)
    }
}

fn take_over(
    store: &Repository,
    from: &Path,
    refspecs: &[&str],
    prune: FetchPrune,
) -> Result<(), git2::Error> {
    let mut remote = store.remote_anonymous(&repository::file_url(from))?;
    let mut options = FetchOptions::new();
    options
        .download_tags(AutotagOption::None)
        .prune(prune)
        .update_fetchhead(false);
    // A fetch writes down where the other side's history ends, and a local one believes that it never does.
    let shallow = store.path().join("shallow");
    let boundary = fs::read(&shallow).unwrap_or_default();
    remote.fetch(refspecs, Some(&mut options), None)?;
    if boundary.is_empty() {
        Ok(())
    } else {
        fs::write(&shallow, boundary).map_err(|error| boundary_error(&error))
    }
}

/// Where a shallow checkout's history ends, ours ends as well: else the missing parents would be an error.
pub(super) fn copy_shallow(from: &Path, to: &Repository) -> Result<(), git2::Error> {
    let from = repository::discover(from)?;
    if !from.is_shallow() {
        return Ok(());
    }
    let copied = fs::copy(from.commondir().join("shallow"), to.path().join("shallow"));
    copied.map(drop).map_err(|error| boundary_error(&error))
}

fn boundary_error(error: &io::Error) -> git2::Error {
    git2::Error::from_str(&format!("could not write where the history ends: {error}"))
}
