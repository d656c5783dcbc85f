//! The process's stdout, written to directly.
//!
//! The runtime's own hands every write to another thread and waits for it, which costs more than all the rest that is
//! done to say a word; and hundreds of rehearsals speak at once when an installation is loaded. Who does not read makes
//! the writer wait, as it does any agent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

#[derive(Debug)]
pub(super) struct Stdout;

impl AsyncWrite for Stdout {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let write = || rustix::io::write(rustix::stdio::stdout(), bytes);
        Poll::Ready(rustix::io::retry_on_intr(write).map_err(io::Error::from))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
