//! The rehearsal agent: a small program that behaves like an agent without a model or an account.
//!
//! It follows a script in the prompt and speaks Claude Code's stream-json on stdin and stdout, so that it
//! passes through the same adapter, shim and gates as the real one: real permissions, real files, real
//! processes, no tokens. It says of itself that it is a rehearsal and is never presented as a model. It
//! deliberately knows nothing of runners, sessions, gates or NATS: it is on the agent's side of the pipe.
//!
//! A prompt's way through here: `input` → `protocol` → `life` → `turn` → `permission` → `tool` → `line` →
//! `output`.

mod arguments;
mod command;
mod input;
mod life;
mod line;
mod memory;
mod output;
mod permission;
mod protocol;
mod run;
mod script;
mod speech;
mod stdout;
mod tool;
mod turn;

pub use run::run;
