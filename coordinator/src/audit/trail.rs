//! The audit for those who ask for it: all records as they are stored, signed up to the moment.

use std::io;

use bytes::Bytes;
use futures::Stream;
use nats::audit::{AuditPublicKey, line};
use nats::client::{self, Client};
use nats::stream::AUDIT;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Duration, timeout};

/// Who asks for a checkpoint at the same time as so many others goes on without.
pub(super) const ASKS_MAX: usize = 8;
/// How long an export waits for its own end to be signed. Without NATS it has nothing to wait for.
const SIGNED_WITHIN: Duration = Duration::from_secs(5);
/// Records that leave at once.
const AT_ONCE: usize = 128;
/// A stream that gives nothing for this long although it holds more will not do so soon.
const SILENT_MAX: Duration = Duration::from_secs(30);

/// Asks the checkpointer to sign now; answered when that is done.
pub(super) type Ask = oneshot::Sender<()>;

/// Cheap to clone.
#[derive(Clone)]
pub struct Trail {
    client: Client,
    key: AuditPublicKey,
    asks: mpsc::Sender<Ask>,
}

impl Trail {
    pub(super) const fn new(client: Client, key: AuditPublicKey, asks: mpsc::Sender<Ask>) -> Self {
        Self { client, key, asks }
    }

    /// What this coordinator signs with.
    #[must_use]
    pub const fn key(&self) -> &AuditPublicKey {
        &self.key
    }

    /// Everything that is stored now, from the first record on, signed up to the end if that can be had.
    pub async fn export(
        &self,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static, client::Error> {
        self.sign_now().await;
        let last = self.client.last_sequence(AUDIT).await?;
        Ok(lines(self.client.clone(), last))
    }

    async fn sign_now(&self) {
        let (ask, signed) = oneshot::channel();
        if self.asks.try_send(ask).is_ok() {
            // What is not signed yet says so itself when it is verified.
            let _ = timeout(SIGNED_WITHIN, signed).await;
        }
    }
}

/// The lines up to `last`. An error breaks the answer off, so that nobody takes a part for the whole.
fn lines(client: Client, last: u64) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    async_stream::try_stream! {
        let mut followed = client.follow_audit(1);
        let mut records = Vec::with_capacity(AT_ONCE);
        let mut reached = 0;
        while reached < last {
            records.clear();
            let taken = timeout(SILENT_MAX, followed.recv_many(&mut records, AT_ONCE))
                .await
                .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the audit gives no more records"))?;
            if taken == 0 {
                Err(io::Error::from(io::ErrorKind::UnexpectedEof))?;
            }
            let mut text = String::new();
            for followed in records.drain(..) {
                reached = followed.sequence;
                if reached <= last {
                    text.push_str(&line(&followed.into()));
                }
            }
            yield Bytes::from(text);
        }
    }
}
