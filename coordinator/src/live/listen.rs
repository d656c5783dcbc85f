//! Hears what is live in the fleet and hands it on, with a memory of the blocks that are being written.

use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt as _;
use nats::client::Client;
use nats::event::Event;
use nats::ids::SessionId;
use tokio::time::{Duration, sleep};

use super::frame::{Frame, LiveBatch};
use super::hub::Hub;
use super::partial::Partials;
use crate::api::LiveRow;

const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(500);

/// The blocks that are being written. Cheap to clone.
#[derive(Clone, Default)]
pub struct Written {
    partials: Arc<Mutex<Partials>>,
}

impl Written {
    /// Each block of the session that is being written, whole so far.
    #[must_use]
    pub fn snapshots(&self, session: SessionId) -> Vec<LiveRow> {
        self.locked().snapshots(session)
    }

    /// Takes note of an event that makes a block final.
    pub fn event(&self, session: SessionId, event: &Event) {
        self.locked().event(session, event);
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Partials> {
        self.partials.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens for ever, on a connection of its own, so that a flood of text delays no event.
pub async fn listen(client: Client, hub: Hub, written: Written) {
    loop {
        match client.live_messages().await {
            Ok(mut messages) => {
                while let Some(message) = messages.next().await {
                    if let Some(row) = LiveRow::from_message(&message)
                        && written.locked().take(&row)
                    {
                        let session = row.session;
                        hub.to_session(session, || {
                            Frame::Live(Arc::new(LiveBatch::new(session, vec![row])))
                        });
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "what is live cannot be heard"),
        }
        sleep(PAUSE_AFTER_ERROR).await;
    }
}
