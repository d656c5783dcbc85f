//! The only way into a session: a command goes in, and the answer comes once it is on disk.

use nats::command::Order;
use tokio::sync::{mpsc, oneshot};

/// Commands that may wait for a session at once. One consumer per host delivers one at a time, so this is ample.
pub(super) const COMMANDS_WAITING_MAX: usize = 16;

/// Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    sender: mpsc::Sender<Told>,
    /// Of the session, as long as it is here.
    epoch: u64,
}

/// A command and whom to tell that it is durable.
pub struct Told {
    pub(super) order: Box<Order>,
    pub(super) recorded: oneshot::Sender<()>,
}

/// The session's task is gone; it may come back under another handle.
#[derive(Debug, thiserror::Error)]
#[error("the session is not running")]
pub struct NotRunning;

impl Handle {
    pub(super) fn new(epoch: u64) -> (Self, mpsc::Receiver<Told>) {
        let (sender, receiver) = mpsc::channel(COMMANDS_WAITING_MAX);
        (Self { sender, epoch }, receiver)
    }

    /// Returns once the command is in the session's inbox, whether now or before.
    pub async fn tell(&self, order: Order) -> Result<(), NotRunning> {
        let (recorded, answer) = oneshot::channel();
        self.sender
            .send(Told {
                order: Box::new(order),
                recorded,
            })
            .await
            .map_err(|_| NotRunning)?;
        answer.await.map_err(|_| NotRunning)
    }

    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.sender.is_closed()
    }
}
