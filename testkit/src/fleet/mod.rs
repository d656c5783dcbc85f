//! A whole installation, private to one test: the real `flotilla up` in a folder of its own, and a person who is
//! signed in.
//!
//! Speaks to it over HTTP as a browser or a program would. Knows no other crate of Flotilla: what comes back is JSON.

mod installation;
mod requests;
mod sessions;

mod elsewhere;
mod faults;
mod second_coordinator;
mod star;

pub use elsewhere::Runner;
pub use faults::HeldDown;
pub use installation::{Fleet, Options};
pub use second_coordinator::Coordinator;
pub use sessions::BOUND;
pub use star::Star;
