//! One connection of a runner: frames in, frames out, and how far the output was sent on it.
//! Owns its buffers, each with a bound; does not know what a frame asks for.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio_util::codec::{Encoder, FramedRead, LengthDelimitedCodec};

use super::protocol::{self, FromShim, ToShim};

/// A runner says what it wants at once; whoever does not is not a runner.
const OPENING_TIME_MAX: Duration = Duration::from_secs(5);

/// A runner that sends without reading the answers is not read from any more above this.
const OUTGOING_BYTES_MAX: usize = 1024 * 1024;

pub(super) struct Connection {
    frames: FramedRead<OwnedReadHalf, LengthDelimitedCodec>,
    writer: OwnedWriteHalf,
    codec: LengthDelimitedCodec,
    outgoing: BytesMut,
    /// The position of the next byte of output to send.
    pub(super) next: u64,
    pub(super) told_exit: bool,
}

pub(super) enum Said {
    Frame(ToShim),
    /// Not understood; the connection goes on.
    Garbled(protocol::Undecodable),
    /// Some of what is outgoing can be written.
    Writable,
    Closed,
}

impl Connection {
    fn new(stream: UnixStream) -> Self {
        let (reader, writer) = stream.into_split();
        let frames = FramedRead::new(reader, protocol::codec());
        let (codec, outgoing) = (protocol::codec(), BytesMut::new());
        Self {
            frames,
            writer,
            codec,
            outgoing,
            next: 0,
            told_exit: false,
        }
    }

    /// The first frame of a connection; `None` when none comes, or nonsense.
    pub(super) async fn open(stream: UnixStream) -> Option<(Self, ToShim)> {
        let mut connection = Self::new(stream);
        let frame = tokio::time::timeout(OPENING_TIME_MAX, connection.frames.next())
            .await
            .ok()??
            .ok()?;
        let frame = ToShim::decode(frame.freeze()).ok()?;
        Some((connection, frame))
    }

    /// What happens next on this connection. Cancel-safe: a half frame stays in its buffer.
    pub(super) async fn next_said(&mut self) -> Said {
        let may_read = self.outgoing.len() <= OUTGOING_BYTES_MAX;
        tokio::select! {
            frame = self.frames.next(), if may_read => match frame {
                Some(Ok(frame)) => match ToShim::decode(frame.freeze()) {
                    Ok(frame) => Said::Frame(frame),
                    Err(error) => Said::Garbled(error),
                },
                Some(Err(_)) | None => Said::Closed,
            },
            writable = self.writer.writable(), if !self.outgoing.is_empty() => match writable {
                Ok(()) => Said::Writable,
                Err(_) => Said::Closed,
            },
        }
    }

    /// Puts a frame behind what is outgoing already.
    pub(super) fn say(&mut self, frame: &FromShim) {
        let frame: Bytes = frame.encode();
        if self.codec.encode(frame, &mut self.outgoing).is_err() {
            unreachable!("a shim's frames are far smaller than the largest allowed");
        }
    }

    /// Everything said has left for the runner.
    pub(super) fn is_idle(&self) -> bool {
        self.outgoing.is_empty()
    }

    /// Writes what can be written now.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        while !self.outgoing.is_empty() {
            match self.writer.try_write(&self.outgoing) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => drop(self.outgoing.split_to(count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
