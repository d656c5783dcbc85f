//! The rehearsal agent as a program of its own, for tests that want an agent process without the whole binary.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    runner::rehearsal::run(std::env::args().skip(1).collect()).await
}
