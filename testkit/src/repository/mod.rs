//! Real git repositories in temporary folders, and a proof that nobody touched them.

mod checkout;
mod snapshot;

pub use checkout::Repository;
pub use snapshot::{Snapshot, snapshot};
