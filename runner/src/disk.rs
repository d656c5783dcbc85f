//! Room on the disk: looked at now and then, and told to every session before it runs out.
//!
//! A session whose log cannot be written has to stop in the middle of whatever it does. Below the reserve no new
//! turn begins, so that what is under way can be finished and recorded.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Enough for the logs, transcripts and outputs of turns that are under way.
const RESERVE_BYTES: u64 = 256 * 1024 * 1024;
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What a session needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub free_bytes: u64,
    pub low: bool,
}

impl Room {
    /// Of the file system that holds `folder`. One that cannot be asked counts as roomy: writing will tell.
    #[must_use]
    pub fn of(folder: &std::path::Path) -> Self {
        let free_bytes = rustix::fs::statvfs(folder)
            .map_or(u64::MAX, |it| it.f_bavail.saturating_mul(it.f_frsize));
        Self {
            free_bytes,
            low: free_bytes < RESERVE_BYTES,
        }
    }
}

/// Keeps looking until cancelled; tells only when it became low or roomy again.
pub async fn watch(folder: PathBuf, sender: watch::Sender<Room>, token: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = token.cancelled() => return,
        }
        let room = Room::of(&folder);
        sender.send_if_modified(|before| {
            let changed = before.low != room.low;
            *before = room;
            changed
        });
    }
}
