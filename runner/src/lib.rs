//! (being built)

pub mod rehearsal;
pub mod shim;
