//! Where a session works: a clone of its own, borrowing objects from a store that the runner owns.
//!
//! In reading order: `project` recognises a person's checkout, `store` takes its commits over (and
//! `mend` helps it over a power cut), `clone` makes a worktree
//! from them, `view` is how the runner looks at it, `changes` and `diff` are what it sees, `keep` saves it on the way out.
//!
//! Everything goes through git2, and the git program is used nowhere: a repository's hooks, filters, fsmonitor and
//! aliases are code of whoever wrote its configuration, and libgit2 runs none of them. The person's checkout is only
//! ever read. All functions block: the caller puts them where blocking is allowed.

mod project;

mod mend;

mod store;

mod clone;

mod view;

mod changes;
mod diff;

mod keep;

mod error;
mod lock;
mod repository;

pub use changes::Snapshot;
pub use clone::{Created, Worktree};
pub use diff::{Change, Changes, FileChange};
pub use error::Error;
pub use keep::Kept;
pub use project::Project;
pub use store::Store;
