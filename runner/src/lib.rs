//! (being built)

pub mod shim;
