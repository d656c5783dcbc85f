//! Sessions that are over have no task any more; what their host keeps of them is looked through here.
//!
//! How long things are kept is the log's to say.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::sessions::Sessions;

/// Rows are kept for days, so that a look now and then is exact enough.
const LOOK_EVERY: Duration = Duration::from_secs(6 * 3600);

pub async fn keep(sessions: Sessions, token: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = token.cancelled() => return,
        }
        tokio::task::block_in_place(|| sessions.prune_settled());
    }
}
