//! One session: a pure machine that decides, a log that remembers, and a task that acts.
//!
//! Record first, then act: the task writes what the machine decided to `session.db` and only then performs it.
//! Deliberately knows nothing of subjects and streams; the relay carries the log away.

pub mod log;
pub mod machine;
pub mod paths;

mod agent_link;
mod blocks;
mod files;
mod handle;
mod limits;
mod live;
mod oversize;
mod perform;
mod record;
mod refusal;
mod reminders;
mod report;
mod shim_link;
mod slot;
mod task;

pub use handle::{Handle, Told};
pub use live::Outlet;
pub use refusal::{is_refused, refuse};
pub use report::report;
pub use task::{Parts, Task};
