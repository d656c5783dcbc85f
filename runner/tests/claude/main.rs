//! The Claude adapter: recorded transcripts, hostile lines, and the real Claude Code against a scripted model.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod telling;
mod transcript;

mod replay;

mod properties;

mod driver;

mod failures;
mod gates;
mod questions;
mod text;
mod turns;

mod asking_again;
mod endings;
