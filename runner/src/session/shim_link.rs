//! A session's line to its shim: frames come in here, and what goes out is sent by a task of its own.
//!
//! A task of its own, because a shim reads nothing more from a runner that does not read its answers.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use crate::shim::{FromShim, ShimClient, ShimFrames, ShimHandle};

/// Messages to the shim that may wait. Far more than a session has in flight; a line that is this far behind is
/// dropped and made again, which sends everything once more.
const WAITING_MAX: usize = 256;

pub struct ShimLink {
    sender: mpsc::Sender<ToShim>,
    frames: ShimFrames,
    /// Something could not be put on this line: only a new one says everything again.
    broken: bool,
}

enum ToShim {
    Input { id: String, bytes: Vec<u8> },
    Durable { position: u64 },
    End { grace: Duration },
}

impl ShimLink {
    #[must_use]
    pub fn new(client: ShimClient, tasks: &TaskTracker) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        tasks.spawn(send(client.handle, receiver));
        Self {
            sender,
            frames: client.frames,
            broken: false,
        }
    }

    /// The next frame; `None` when the line is gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<FromShim> {
        if self.broken {
            return None;
        }
        match self.frames.next().await {
            Ok(frame) => frame,
            Err(error) => {
                tracing::warn!(error = %crate::chain(&error), "the shim could not be understood");
                None
            }
        }
    }

    /// Written to the agent once, however often it is sent under this id.
    pub fn input(&mut self, id: String, bytes: Vec<u8>) {
        self.put(ToShim::Input { id, bytes });
    }

    /// Everything before `position` is in our log.
    pub fn durable(&mut self, position: u64) {
        self.put(ToShim::Durable { position });
    }

    /// Ends the agent, everything it started, and the shim.
    pub fn end(&mut self, grace: Duration) {
        self.put(ToShim::End { grace });
    }

    fn put(&mut self, message: ToShim) {
        if self.sender.try_send(message).is_err() {
            tracing::warn!("the line to the shim is stuck or gone; a new one is made");
            self.broken = true;
        }
    }
}

async fn send(shim: ShimHandle, mut receiver: mpsc::Receiver<ToShim>) {
    while let Some(message) = receiver.recv().await {
        let sent = match message {
            ToShim::Input { id, bytes } => shim.input(id, bytes).await,
            ToShim::Durable { position } => shim.durable(position).await,
            ToShim::End { grace } => shim.end(grace).await,
        };
        if let Err(error) = sent {
            // The reading half sees the same and says so.
            tracing::debug!(error = %crate::chain(&error), "could not tell the shim something");
            return;
        }
    }
}
