//! The client verbs: `login`, `session`, `gate`, `host`, `audit` and `verify`, spoken to a coordinator's HTTP API.
//!
//! Owns the words, tables and exit codes a person or a script gets. Data goes to stdout, words to stderr;
//! `--json` passes on what the server said, also what this build does not know. It deliberately knows nothing
//! of NATS, processes or the data folder: it works from any machine that can reach the coordinator.

mod arguments;
mod exit;

mod credentials;
mod password;

mod patience;
mod reference;
mod server;
mod sse;
mod view;

mod clock;
mod output;
mod table;
mod visible;
mod words;

mod audit;
mod gate;
mod host;
mod login;
mod run;
mod session;
mod verify;

pub use arguments::Arguments;
pub use output::Output;
pub use run::run;
