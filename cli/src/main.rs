//! `flotilla`: one binary that starts every part, and is a client of the coordinator.
//!
//! Reads the command line, sets up logging and a runtime, hands over, and turns the outcome into an exit code.
//! Everything it does lives in the module named as the command is typed.

mod arguments;

mod failure;
mod logging;
mod stop_signals;
mod terminal;

mod data;

mod command_key;
mod configuration;
mod parts;

mod listener;
mod nats_server;
mod tether;

mod agents_left;
mod down;
mod enrol;
mod nats_creds;
mod up;

mod client;

use std::process::ExitCode;

fn main() -> ExitCode {
    match arguments::read().run() {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}
