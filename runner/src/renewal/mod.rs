//! Keeps this host believed: every day it gets a new token of its key, over NATS, else from a coordinator directly.
//!
//! Owns the credentials file and nothing else. A credential without an end, as it is given by hand, is left alone.

mod ask;
mod keep;
mod schedule;
mod token;

pub use keep::keep;
