//! The audit: who did what, and the proof that none of it was changed since.
//!
//! Owns the records, the chain over their order, the checkpoints that sign it, and the file in which all of it leaves a
//! fleet. Pure: knows neither a server nor a clock. What is proved and what is not: `docs/SECURITY.md`.

mod record;

mod link;
mod marks;

mod checkpoint;
mod key;

mod chain;
mod wrong;

mod export;
mod verifier;

#[cfg(test)]
mod tests;

pub use record::{ActionRecord, DecisionRecord, Origin};

pub use link::{Link, Stored};

pub use checkpoint::{Checkpoint, NotACheckpoint};
pub use key::{AuditKey, AuditPublicKey};

pub use chain::Chain;
pub use wrong::Wrong;

pub use export::line;
pub(crate) use export::nanoseconds;
pub use verifier::{Kept, NotKept, Report, Signer, Verifier, Wanted};
