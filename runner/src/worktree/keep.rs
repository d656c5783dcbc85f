//! What a session did, saved before its worktree goes: its branches, and what it had not committed, as refs of the store.
//! Nothing is ever deleted that was not kept first.

use std::fs;

use git2::{Oid, Repository, Signature};

use super::clone::remove;
use super::lock::lock;
use super::store::Store;
use super::view::{Extent, View};
use super::{Error, Worktree, repository};

const UNCOMMITTED: &str = "refs/view/uncommitted";

/// Commits in the store, in full hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What the worktree had checked out; a later session can start from it by the branch's name.
    pub head: String,
    /// The work on top of it that was not committed, as one commit: `refs/kept/<short id>/uncommitted`.
    pub uncommitted: Option<String>,
}

impl Worktree {
    /// Saves everything the session did into the store. May be called as often as there is something to save.
    pub fn keep(&self, store: &Store) -> Result<Kept, Error> {
        let failed = |source| Error::Keep {
            path: self.path.clone(),
            source,
        };
        let clone = self.open_clone()?;
        let view = View::open(self)?;
        let _lock = lock(store.path())?;
        let head = self.keep_commits(store, &clone, &view).map_err(failed)?;
        let uncommitted = self.keep_uncommitted(store, &view, head).map_err(failed)?;
        Ok(Kept {
            head: head.to_string(),
            uncommitted: uncommitted.map(|commit| commit.to_string()),
        })
    }

    /// Saves everything, then removes the worktree. Ignored files are not work and go with it.
    pub fn remove(self, store: &Store) -> Result<Kept, Error> {
        let kept = self.keep(store)?;
        store.force_out()?;
        remove(&self.path)?;
        remove(&self.view)?;
        Ok(kept)
    }

    /// The agent may have put anything in the place of its repository, a way into somebody else's too.
    fn open_clone(&self) -> Result<Repository, Error> {
        let folder = self.path.join(".git");
        let is_folder = fs::symlink_metadata(&folder).is_ok_and(|metadata| metadata.is_dir());
        if !is_folder || folder.join("commondir").exists() {
            return Err(Error::Tampered(self.path.clone()));
        }
        repository::open(&folder).map_err(|source| Error::Keep {
            path: self.path.clone(),
            source,
        })
    }

    fn keep_commits(
        &self,
        store: &Store,
        clone: &Repository,
        view: &View,
    ) -> Result<Oid, git2::Error> {
        let (branch, short_id) = (self.branch(), &self.short_id);
        let refspecs = [
            format!("+HEAD:refs/kept/{short_id}/HEAD"),
            // By this name another session can start from it.
            format!("+refs/heads/{branch}:refs/kept/heads/{branch}"),
            format!("+refs/heads/*:refs/kept/{short_id}/heads/*"),
            format!("+refs/stash:refs/kept/{short_id}/stash"),
        ];
        store.fetch_from(clone.path(), &refspecs.each_ref().map(String::as_str))?;
        // An agent that checked out a branch without a commit has its files on top of where it started.
        let head = clone.head().and_then(|head| head.peel_to_commit());
        head.map(|head| head.id()).or_else(|_| view.base_commit())
    }

    fn keep_uncommitted(
        &self,
        store: &Store,
        view: &View,
        head: Oid,
    ) -> Result<Option<Oid>, git2::Error> {
        let tree = view.look(Extent::Whole)?;
        // The view borrows from the store, so it has the head by now.
        let head = view.repository.find_commit(head)?;
        let name = format!("refs/kept/{}/uncommitted", self.short_id);
        if head.tree_id() == tree {
            // What was uncommitted at an earlier time has been committed since.
            if let Ok(mut older) = store.repository()?.find_reference(&name) {
                older.delete()?;
            }
            return Ok(None);
        }
        let tree = view.repository.find_tree(tree)?;
        let author = Signature::now("Flotilla", "flotilla@localhost")?;
        let message = format!("Uncommitted work of session {}", self.short_id);
        let commit = view
            .repository
            .commit(None, &author, &author, &message, &tree, &[&head])?;
        view.repository
            .reference(UNCOMMITTED, commit, true, "kept")?;
        store.fetch_from(view.repository.path(), &[&format!("+{UNCOMMITTED}:{name}")])?;
        Ok(Some(commit))
    }
}
