//! One session's worktree: a repository of its own, on a branch of its own, with nothing of the checkout's configuration
//! in it but the author's name. Owns how it is made; does not know the agent that will work in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use git2::build::CheckoutBuilder;
use git2::{Oid, Repository};

use super::store::{Store, copy_shallow, file_name};
use super::{Error, Project, project, repository, view};
use crate::durable;

/// A session's worktree and the runner's view of it. Cheap: two paths, nothing is held open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worktree {
    pub(super) path: PathBuf,
    pub(super) view: PathBuf,
    pub(super) short_id: String,
}

/// A worktree that was just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    pub worktree: Worktree,
    /// `flotilla/<short id>`.
    pub branch: String,
    /// The commit it starts from, in full hex.
    pub base: String,
    /// Changed or untracked files of the checkout that are not in the worktree: worth a warning.
    pub uncommitted: usize,
}

impl Worktree {
    /// Takes over the checkout's commits and makes a worktree of them at `path`, complete or not at all.
    /// `base` is a branch, a tag or a commit; without one it is what the checkout has checked out.
    pub fn create(
        store: &Store,
        project: &Project,
        path: &Path,
        short_id: &str,
        base: Option<&str>,
    ) -> Result<Created, Error> {
        let worktree = Self::at(store, path, short_id)?;
        if path.exists() {
            return Err(Error::WorktreeExists(path.to_owned()));
        }
        if !project.has_commits() {
            return Err(Error::NoCommit {
                path: project.path.clone(),
            });
        }
        store.fetch(project)?;
        let base = resolve(store, project, base)?;
        let branch = worktree.branch();
        let unfinished = unfinished(path)?;
        for leftover in [&unfinished, &worktree.view] {
            remove(leftover)?; // of a runner that ended in the middle
        }
        let made = make(store, project, &unfinished, &branch, base);
        made.map_err(|source| Error::Create {
            path: path.to_owned(),
            source,
        })?;
        view::make(&worktree.view, store, &unfinished, base)?;
        // Its name promises that it is complete, also after a power cut: first what is in it, then the name.
        let parent = path.parent().unwrap_or(path);
        durable::sync_file_system(&unfinished).map_err(Error::write(&unfinished))?;
        if durable::are_apart(&unfinished, store.path()) {
            store.force_out()?;
        }
        fs::rename(&unfinished, path).map_err(Error::write(path))?;
        durable::sync_folder(parent).map_err(Error::write(parent))?;
        Ok(Created {
            worktree,
            branch,
            base: base.to_string(),
            uncommitted: project.uncommitted,
        })
    }

    /// The worktree that was made at `path` for this session.
    pub fn open(store: &Store, path: &Path, short_id: &str) -> Result<Self, Error> {
        let worktree = Self::at(store, path, short_id)?;
        if !worktree.path.is_dir() || !worktree.view.is_dir() {
            return Err(Error::NoWorktree(path.to_owned()));
        }
        Ok(worktree)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The branch the session works on, whatever the agent may have checked out since.
    pub fn branch(&self) -> String {
        format!("flotilla/{}", self.short_id)
    }

    /// The commit it started from, in full hex: what a runner that ended right after making it did not get to store.
    pub fn base(&self) -> Result<String, Error> {
        let base = view::View::open(self)?.base_commit();
        base.map(|base| base.to_string())
            .map_err(|source| Error::Look {
                path: self.path.clone(),
                source,
            })
    }

    fn at(store: &Store, path: &Path, short_id: &str) -> Result<Self, Error> {
        let view = store.view(short_id)?;
        Ok(Self {
            path: path.to_owned(),
            view,
            short_id: file_name(short_id)?.to_owned(),
        })
    }
}

fn resolve(store: &Store, project: &Project, base: Option<&str>) -> Result<Oid, Error> {
    let path = || project.path.clone();
    let wanted = base.or(project.head.as_deref());
    let wanted = wanted.ok_or_else(|| Error::NoCommit { path: path() })?;
    let found = store.resolve(wanted).map_err(|source| Error::Read {
        path: store.path().to_owned(),
        source,
    })?;
    found.ok_or_else(|| Error::UnknownBase {
        path: path(),
        base: wanted.to_owned(),
    })
}

/// Beside the final place, so that a rename makes it whole at once.
fn unfinished(path: &Path) -> Result<PathBuf, Error> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Error::Name(path.display().to_string()));
    };
    fs::create_dir_all(parent).map_err(Error::write(parent))?;
    Ok(parent.join(format!(".{}.unfinished", name.to_string_lossy())))
}

pub(super) fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::write(path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn make(
    store: &Store,
    project: &Project,
    path: &Path,
    branch: &str,
    base: Oid,
) -> Result<(), git2::Error> {
    let clone = repository::init(path, false, Some(store.path()))?;
    let store = store.repository()?;
    let checkout = repository::discover(&project.path)?;
    copy_shallow(&project.path, &clone)?;
    configure(&clone, &checkout)?;
    copy_refs(&store, &clone, project)?;
    clone.reference(
        &format!("refs/heads/{branch}"),
        base,
        false,
        "session started",
    )?;
    clone.set_head(&format!("refs/heads/{branch}"))?;
    // Runs no hook and no filter program: libgit2 has neither.
    clone.checkout_head(Some(CheckoutBuilder::new().force()))
}

/// Who the agent commits as, and where the project comes from: what a clone by hand would have as well.
fn configure(clone: &Repository, checkout: &Repository) -> Result<(), git2::Error> {
    let theirs = checkout.config()?.snapshot()?;
    let mut ours = clone.config()?;
    for key in ["user.name", "user.email"] {
        if let Ok(value) = theirs.get_str(key) {
            ours.set_str(key, value)?;
        }
    }
    // A checkout's configuration may hold a password in the URL, and the agent is not to have it.
    if let Some(url) = project::remote_url(checkout) {
        clone.remote("origin", &without_password(&url))?;
    }
    Ok(())
}

fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let authority = match authority.rsplit_once('@') {
        // The user is part of an ssh address and a token in an https one.
        Some((user, host)) if scheme == "ssh" => {
            format!("{}@{host}", user.split(':').next().unwrap_or(user))
        }
        Some((_, host)) => host.to_owned(),
        None => authority.to_owned(),
    };
    format!("{scheme}://{authority}/{path}")
}

/// What the agent compares with: the branch it starts from, the remote's branches, the tags. As one file: a project
/// may have thousands.
fn copy_refs(store: &Repository, clone: &Repository, project: &Project) -> Result<(), git2::Error> {
    let mut lines = Vec::new();
    for reference in store.references_glob("refs/checkout/*")? {
        let reference = reference?;
        let (Ok(name), Some(target)) = (reference.name(), reference.target()) else {
            continue;
        };
        let name = name.trim_start_matches("refs/checkout/");
        let own_branch = project
            .branch
            .as_deref()
            .is_some_and(|branch| name.strip_prefix("heads/") == Some(branch));
        if own_branch || name.starts_with("tags/") || name.starts_with("remotes/origin/") {
            lines.push(format!("{target} refs/{name}\n"));
        }
    }
    let text = format!("# pack-refs with: \n{}", lines.concat());
    fs::write(clone.path().join("packed-refs"), text).map_err(|error| from_io(&error))
}

fn from_io(error: &io::Error) -> git2::Error {
    git2::Error::from_str(&error.to_string())
}
