//! A model that needs no account: it speaks the Messages API on loopback and plays the script that a prompt holds.
//!
//! The real agents talk to it as they talk to their vendor, so that a test sees what they really
//! do with tools, gates, questions, errors and broken streams. The language of the scripts is
//! told in `script.rs`. It is never presented as a model to a person.

mod endpoint;
mod http;
mod limit;

mod conversation;
mod json;
mod marks;
mod play;
mod script;
mod tools;

mod message;
mod sse;

pub use endpoint::ModelEndpoint;
