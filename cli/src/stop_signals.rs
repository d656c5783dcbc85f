//! The ways in which somebody asks a program to stop.

use futures::future::select_all;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;

/// Signal 1 is the lowest bit of the kernel's masks.
const SIGHUP_BIT: u64 = 1;

/// Ctrl-C, a service manager's request, and a terminal that was closed: all ask for the same.
pub struct StopSignals(Vec<Signal>);

impl StopSignals {
    /// From now on these signals do not end the process by themselves.
    pub fn listen() -> Result<Self, Failure> {
        let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
        // Who started this with `nohup` wants it to outlive the terminal, and listening would undo that.
        if !hangup_is_ignored() {
            kinds.push(SignalKind::hangup());
        }
        let signals = kinds
            .into_iter()
            .map(signal)
            .collect::<Result<_, _>>()
            .map_err(|error| Failure::because("signals cannot be received", &error))?;
        Ok(Self(signals))
    }

    /// The next request. Cancel-safe.
    pub async fn next(&mut self) {
        select_all(self.0.iter_mut().map(|signal| Box::pin(signal.recv()))).await;
    }
}

fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & SIGHUP_BIT != 0)
}
