//! The audit as a chain: one task that signs it, and the way out for the whole of it.
//!
//! Owns when a checkpoint is written. What a chain and a checkpoint are is the wire's to say. Deliberately knows
//! nothing of what a record means; records come from `dispatch`.

mod checkpointer;
mod trail;

pub use checkpointer::Checkpointer;
pub use trail::Trail;
