//! What changed in a worktree since it was last looked at, whoever changed it: a tool of the agent's, a command it ran,
//! or a process it left running.

use git2::Oid;
use serde::{Deserialize, Serialize};

use super::view::{Extent, View};
use super::{Changes, Error, Worktree, diff};

/// What was in a worktree at one moment: the id of a tree in its view. Small enough to be stored with every event, and
/// good as long as the worktree is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Snapshot(String);

impl Worktree {
    /// What is there now.
    pub fn snapshot(&self) -> Result<Snapshot, Error> {
        let view = View::open(self)?;
        let tree = view.look(Extent::Readable);
        tree.map(Snapshot::of).map_err(|source| Error::Look {
            path: self.path.clone(),
            source,
        })
    }

    /// What is different now, and what to ask from the next time. Ignored files are left out.
    pub fn changes_since(&self, before: &Snapshot) -> Result<(Changes, Snapshot), Error> {
        let failed = |source| Error::Look {
            path: self.path.clone(),
            source,
        };
        let view = View::open(self)?;
        let unknown = || Error::UnknownSnapshot(before.0.clone());
        let before = Oid::from_str(&before.0).map_err(|_| unknown())?;
        let before = view
            .repository
            .find_tree(before)
            .map_err(|_| unknown())?
            .id();
        let now = view.look(Extent::Readable).map_err(failed)?;
        let changes = diff::between(&view.repository, before, now).map_err(failed)?;
        Ok((changes, Snapshot::of(now)))
    }

    /// Everything that is different from where the session started: committed, uncommitted and untracked.
    pub fn diff(&self) -> Result<Changes, Error> {
        let view = View::open(self)?;
        let changes = view.base().and_then(|base| {
            let now = view.look(Extent::Readable)?;
            diff::between(&view.repository, base, now)
        });
        changes.map_err(|source| Error::Look {
            path: self.path.clone(),
            source,
        })
    }
}

impl Snapshot {
    fn of(tree: Oid) -> Self {
        Self(tree.to_string())
    }
}
