//! The way of live text off the host: a task of its own that drops rather than make an agent wait.

use nats::Client;
use nats::live::{Live, LiveMessage};
use nats::{Timestamp, Wire};
use tokio::sync::mpsc;
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
        let (sender, mut receiver) = mpsc::channel::<LiveMessage>(WAITING_MAX);
        tasks.spawn(async move {
            loop {
                let message = tokio::select! {
                    message = receiver.recv() => message,
                    () = token.cancelled() => None,
                };
                let Some(message) = message else { return };
                client.publish_live(&message).await;
            }
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
