//! Making a checkout as a person would have it: empty, committed, dirty, with any name.
//!
//! Works through git2 only, so that no configuration of this machine takes part: no hooks, no
//! global ignore file, no signing, and the same author and time in every commit.

use std::fs;
use std::path::{Path, PathBuf};

use git2::{IndexAddOption, RepositoryInitOptions, Signature, Time};
use tempfile::TempDir;

use super::{Snapshot, snapshot};

/// A repository with a checkout. Dropping it removes both.
pub struct Repository {
    // Removed when dropped.
    _folder: TempDir,
    path: PathBuf,
    git: git2::Repository,
}

impl Repository {
    /// An empty repository on branch `main`, without a commit, in a folder called `name`
    /// (which may hold spaces and anything else that a file name may).
    pub fn new(name: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("flotilla-repository-")
            .tempdir()
            .expect("a temporary folder");
        // Resolved, so that it can be compared with what a process says its folder is.
        let path = folder
            .path()
            .canonicalize()
            .expect("it was just made")
            .join(name);
        let mut options = RepositoryInitOptions::new();
        options.initial_head("main").external_template(false);
        let git = git2::Repository::init_opts(&path, &options).expect("a repository can be made");
        Self {
            _folder: folder,
            path,
            git,
        }
    }

    /// Writes a file of the checkout and no more: without a `commit` after it, the checkout is dirty.
    pub fn file(self, path: &str, text: &str) -> Self {
        let path = self.path.join(path);
        let folder = path.parent().expect("a file of the checkout has a folder");
        fs::create_dir_all(folder).expect("the temporary folder is writable");
        fs::write(path, text).expect("the temporary folder is writable");
        self
    }

    /// Removes a file of the checkout, as `rm` does.
    pub fn without(self, path: &str) -> Self {
        fs::remove_file(self.path.join(path)).expect("the file is there");
        self
    }

    /// Stages everything, as `git add --all` does.
    pub fn stage(self) -> Self {
        let mut index = self.git.index().expect("the index can be read");
        index
            .add_all(["*"], IndexAddOption::DEFAULT, None)
            .expect("the checkout can be staged");
        index.write().expect("the index can be written");
        self
    }

    /// Commits everything that is in the checkout.
    pub fn commit(self) -> Self {
        let staged = self.stage();
        staged.commit_index();
        staged
    }

    /// Makes a branch at the newest commit, without checking it out.
    pub fn branch(self, name: &str) -> Self {
        {
            let head = self
                .git
                .head()
                .and_then(|head| head.peel_to_commit())
                .expect("there is a commit");
            self.git
                .branch(name, &head, false)
                .expect("the branch is new");
        }
        self
    }

    /// Names a remote, by which the same project is recognised on other hosts.
    pub fn remote(self, name: &str, url: &str) -> Self {
        self.git.remote(name, url).expect("the remote is new");
        self
    }

    /// The checkout's folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The newest commit of the current branch; none in an empty repository.
    pub fn head(&self) -> Option<String> {
        self.git
            .head()
            .ok()?
            .target()
            .map(|commit| commit.to_string())
    }

    /// The text of a file of the checkout as it is now.
    pub fn read(&self, path: &str) -> String {
        let path = self.path.join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// For what this type does not offer.
    pub fn git(&self) -> &git2::Repository {
        &self.git
    }

    /// Everything there is to know about the checkout, to be compared with a later one.
    pub fn snapshot(&self) -> Snapshot {
        snapshot(&self.path)
    }

    fn commit_index(&self) {
        let tree = self
            .git
            .index()
            .and_then(|mut index| index.write_tree())
            .expect("the index holds a tree");
        let tree = self.git.find_tree(tree).expect("it was just written");
        let parent = self
            .git
            .head()
            .ok()
            .and_then(|head| head.peel_to_commit().ok());
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        let author = Signature::new(
            "Ada Example",
            "ada@example.com",
            &Time::new(1_750_000_000, 0),
        )
        .expect("a name and an address");
        let message = if parents.is_empty() { "Begin" } else { "Go on" };
        self.git
            .commit(Some("HEAD"), &author, &author, message, &tree, &parents)
            .expect("HEAD can be moved");
    }
}
