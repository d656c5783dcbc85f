//! Claude Code, driven over its stream-json: one JSON object a line, both ways.
//!
//! Owns this dialect, its habits and its traps; nothing of it leaves this folder. It deliberately knows no
//! process and no gate's state, and its adapter no clock. `rehearse` speaks the same dialect and passes through here too.

mod launch;
mod mode;
mod reask;

mod transcript;

mod protocol;

mod translate;

mod about;
mod asks;
mod background;
mod blocks;
mod limit;
mod notices;
mod plan;
mod results;
mod tools;

mod describe;

mod write;

pub use launch::{configuration_folder, launch};
pub use limit::reset_in_words;
pub use plan::plan_file;
pub use reask::{ask_again, can_ask_again, force_out};
pub use translate::Adapter;
