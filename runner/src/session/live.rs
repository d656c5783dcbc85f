//! The way of live text off the host: a task of its own that drops rather than make an agent wait.
//!
//! Few sessions that speak are sent as they speak. Many fill one connection, and what they say within some milliseconds
//! goes together: a message costs every station on its way far more to be woken for than to carry.

use nats::Client;
use nats::live::{Live, LiveMessage};
use nats::pace::{Gather, Pace};
use nats::{Timestamp, Wire};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::log::Identity;

/// Messages of all sessions that may wait for the socket. Beyond it the newest are dropped: text that is late helps
/// nobody, and the whole block follows as an event.
const WAITING_MAX: usize = 2048;

/// Where sessions put live messages. Cheap to clone.
#[derive(Clone)]
pub struct Outlet {
    sender: mpsc::Sender<LiveMessage>,
}

impl Outlet {
    /// Starts the task that empties the outlet into its own connection.
    #[must_use]
    pub fn open(client: Client, tasks: &TaskTracker, token: CancellationToken) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        tasks.spawn(async move {
            token.run_until_cancelled(empty(client, receiver)).await;
        });
        Self { sender }
    }

    /// Sends if there is room.
    pub fn send(&self, identity: &Identity, body: Live) {
        let message = LiveMessage {
            v: nats::envelope::VERSION,
            session: identity.session,
            host: identity.host.clone(),
            epoch: identity.epoch,
            at: Timestamp::now(),
            body: Wire::Known(body),
        };
        if self.sender.try_send(message).is_err() {
            tracing::debug!(session.id = %identity.session, "a live message was dropped: too many are waiting");
        }
    }
}

async fn empty(client: Client, mut receiver: mpsc::Receiver<LiveMessage>) {
    let mut pace = Pace::new(Gather::FOR_MANY);
    while let Some(first) = receiver.recv().await {
        if !pace.came(Instant::now())
            && let Some(due) = pace.due()
        {
            // What comes meanwhile waits in the channel: nobody is woken for it.
            sleep_until(due).await;
        }
        client.publish_live(&first).await;
        while let Ok(message) = receiver.try_recv() {
            pace.came(Instant::now());
            client.publish_live(&message).await;
        }
        pace.sent(Instant::now());
    }
}
