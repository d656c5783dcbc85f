//! Writes lines to stdout: each one whole, stamped with the conversation's id, and flushed at once.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use uuid::Uuid;

/// The one writer of stdout.
pub(super) struct Output<W> {
    writer: W,
    conversation: String,
}

impl<W: AsyncWrite + Unpin> Output<W> {
    pub(super) fn new(writer: W, conversation: String) -> Self {
        Self {
            writer,
            conversation,
        }
    }

    /// Writes one line. Never under a `select!`: a line that is begun is finished.
    pub(super) async fn line(&mut self, line: Value) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(&self.stamped(line))?;
        bytes.push(b'\n');
        self.bytes(&bytes).await
    }

    /// Writes the first half of a line and no newline, as a process that dies while it writes.
    pub(super) async fn half(&mut self, line: Value) -> io::Result<()> {
        let bytes = serde_json::to_vec(&self.stamped(line))?;
        self.bytes(&bytes[..bytes.len() / 2]).await
    }

    async fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes).await?;
        self.writer.flush().await
    }

    /// Control lines carry neither id; every other line has both.
    fn stamped(&self, mut line: Value) -> Value {
        let control = line["type"]
            .as_str()
            .is_some_and(|kind| kind.starts_with("control_"));
        if !control {
            line["session_id"] = self.conversation.as_str().into();
            if line["uuid"].is_null() {
                line["uuid"] = Uuid::now_v7().to_string().into();
            }
        }
        line
    }
}
