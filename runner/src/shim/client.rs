//! The runner's end of a shim's socket: attach at a position, then frames in both directions.
//! Owns the connection; does not know what the output means nor which of it is durable.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Mutex;
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

use super::protocol::{self, AgentSignal, FromShim, Hello, ToShim, Undecodable};
use super::socket;

/// A shim does nothing but serve its socket; one that takes longer is not there.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not reach the shim at `{path}`")]
    Connect {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the shim at `{0}` did not answer")]
    Silent(PathBuf),
    #[error("output from byte {from} on is not kept: there are {oldest} to {newest}")]
    NotKept { from: u64, oldest: u64, newest: u64 },
    #[error("could not send to the shim")]
    Send(#[source] io::Error),
    #[error("could not read from the shim")]
    Receive(#[source] io::Error),
    #[error("the shim said something else than was asked")]
    Unexpected,
    #[error("could not understand the shim")]
    Decode(#[source] Undecodable),
}

/// A fresh connection, in its two halves.
pub struct ShimClient {
    pub hello: Hello,
    pub handle: ShimHandle,
    pub frames: ShimFrames,
}

/// Sends; cheap to clone. The shim stops reading from a runner that does not read its answers, so `ShimFrames` must be
/// read by another task, or between sends, never only after them.
#[derive(Clone)]
pub struct ShimHandle {
    writer: Arc<Mutex<FramedWrite<OwnedWriteHalf, LengthDelimitedCodec>>>,
}

/// What the shim says, in order.
pub struct ShimFrames {
    reader: FramedRead<OwnedReadHalf, LengthDelimitedCodec>,
}

impl ShimClient {
    /// Attaches at `from`, in place of whoever was attached. The output from there on follows.
    pub async fn connect(path: &Path, from: u64) -> Result<Self, Error> {
        let (handle, mut frames) = open(path).await?;
        handle.send(ToShim::Attach { from }).await?;
        let hello = first_hello(path, &mut frames).await?;
        Ok(Self {
            hello,
            handle,
            frames,
        })
    }
}

/// Who is there, without disturbing the runner that is attached.
pub async fn probe(path: &Path) -> Result<Hello, Error> {
    let (handle, mut frames) = open(path).await?;
    handle.send(ToShim::Probe).await?;
    first_hello(path, &mut frames).await
}

/// Ends the agent behind this socket and its shim, whatever of its output is still kept. Nothing to do when nobody is
/// there.
pub async fn end(path: &Path, grace: Duration) -> Result<(), Error> {
    let Ok(hello) = probe(path).await else {
        return Ok(());
    };
    let mut client = ShimClient::connect(path, hello.newest).await?;
    client.handle.end(grace).await?;
    // Read to the end: a shim waits for a runner that does not listen to its last words.
    while client.frames.next().await?.is_some() {}
    Ok(())
}

/// Whether a shim serves this socket. It may hold an agent that has ended: see [`Hello::exited`].
pub async fn is_alive(path: &Path) -> bool {
    probe(path).await.is_ok()
}

impl ShimHandle {
    /// Everything before `position` need not be kept any more.
    pub async fn durable(&self, position: u64) -> Result<(), Error> {
        self.send(ToShim::Durable { position }).await
    }

    /// Writes `bytes` to the agent's stdin, once however often it is sent under this id. Answered by `Accepted` or
    /// `Refused`.
    pub async fn input(&self, id: impl Into<String>, bytes: impl Into<Bytes>) -> Result<(), Error> {
        self.send(ToShim::Input {
            id: id.into(),
            bytes: bytes.into(),
        })
        .await
    }

    /// Signals the agent's whole process group.
    pub async fn signal(&self, signal: AgentSignal) -> Result<(), Error> {
        self.send(ToShim::Signal(signal)).await
    }

    /// TERM, after `grace` KILL, then the shim itself ends; `Exited` is its last frame.
    pub async fn end(&self, grace: Duration) -> Result<(), Error> {
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        self.send(ToShim::End { grace_ms }).await
    }

    /// A send that is dropped halfway leaves no half frame: the rest goes out before the next one.
    async fn send(&self, frame: ToShim) -> Result<(), Error> {
        self.writer
            .lock()
            .await
            .send(frame.encode())
            .await
            .map_err(Error::Send)
    }
}

impl ShimFrames {
    /// The next frame; `None` when the shim ended or a newer runner attached. Cancel-safe.
    pub async fn next(&mut self) -> Result<Option<FromShim>, Error> {
        loop {
            let frame = match self.reader.next().await {
                Some(Ok(frame)) => frame,
                // A shim that ended before it read our last words: everything it said has come before this.
                Some(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Ok(None);
                }
                Some(Err(error)) => return Err(Error::Receive(error)),
                None => return Ok(None),
            };
            match FromShim::decode(frame.freeze()) {
                Ok(frame) => return Ok(Some(frame)),
                // A newer shim after a runner was rolled back: what is not understood was not needed then.
                Err(Undecodable::UnknownKind(kind)) => {
                    tracing::debug!(kind, "a shim said something unknown");
                }
                Err(error) => return Err(Error::Decode(error)),
            }
        }
    }
}

async fn open(path: &Path) -> Result<(ShimHandle, ShimFrames), Error> {
    let connected = socket::connect(path).await;
    let stream: UnixStream = connected.map_err(|source| Error::Connect {
        path: path.to_owned(),
        source,
    })?;
    let (reader, writer) = stream.into_split();
    let writer = Arc::new(Mutex::new(FramedWrite::new(writer, protocol::codec())));
    Ok((
        ShimHandle { writer },
        ShimFrames {
            reader: FramedRead::new(reader, protocol::codec()),
        },
    ))
}

async fn first_hello(path: &Path, frames: &mut ShimFrames) -> Result<Hello, Error> {
    let first = tokio::time::timeout(ANSWER_TIME_MAX, frames.next()).await;
    match first.map_err(|_| Error::Silent(path.to_owned()))?? {
        Some(FromShim::Hello(hello)) => Ok(hello),
        Some(FromShim::NotKept {
            from,
            oldest,
            newest,
        }) => Err(Error::NotKept {
            from,
            oldest,
            newest,
        }),
        Some(_) => Err(Error::Unexpected),
        None => Err(Error::Silent(path.to_owned())),
    }
}
