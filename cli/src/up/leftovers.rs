//! What an earlier `flotilla up` started and could not end itself.
//!
//! The kernel asks the parts to end when their parent dies; this waits until they have, because two servers on one
//! store, or two writers of one projection, would be worse than a late start.

use std::time::Duration;

use nats::credentials::private_file;

use super::process::Process;
use crate::data::DataFolder;
use crate::failure::Failure;

/// Long enough for a runner that finishes what it accepted.
const GRACE: Duration = Duration::from_secs(15);

/// Notes which processes are ours now.
pub fn note(data: &DataFolder, processes: &[Process]) -> Result<(), Failure> {
    let path = data.children();
    let unwritable = |error: &dyn std::error::Error| {
        Failure::because(format!("could not write `{}`", path.display()), error)
    };
    let text = serde_json::to_string(processes).map_err(|error| unwritable(&error))?;
    private_file::write(&path, &text).map_err(|error| unwritable(&error))
}

/// Ends what is left. Only to be called by who holds the lock of the folder.
pub async fn end(data: &DataFolder) {
    // A file that cannot be read names nobody; the lock has told that their parent is gone.
    let noted: Vec<Process> = private_file::read(&data.children())
        .ok()
        .flatten()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    for process in noted.into_iter().filter(|process| process.is_alive()) {
        tracing::info!(
            pid = process.pid,
            "ending what an earlier `flotilla up` left"
        );
        process.terminate();
        if !process.gone_within(GRACE).await {
            tracing::warn!(
                pid = process.pid,
                "it did not end when asked, so it was killed"
            );
            process.kill_group();
        }
    }
}
