//! Signs the audit: walks along it, and writes a checkpoint behind its end now and then.
//!
//! Any number of coordinators do so at once. A checkpoint is stored only directly behind what it covers, so of two that
//! are written at the same moment one is refused, and its writer finds the other's as the next record.

use std::path::Path;

use nats::Timestamp;
use nats::audit::{AuditKey, Chain};
use nats::client::{Client, Connection, Followed, PublishError};
use nats::credentials;
use nats::stream::AUDIT;
use tokio::sync::{mpsc, watch};
use tokio::time::{Duration, Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::trail::{ASKS_MAX, Ask, Trail};

/// A checkpoint is some two kilobytes: this many records are about as much as a few of them.
const RECORDS_MAX: u64 = 100;
/// How long a record may be the last one and unsigned.
const SIGNED_WITHIN: Duration = Duration::from_secs(60);
/// One checkpoint takes milliseconds where NATS is there, and some seconds while it chooses a leader.
const WRITTEN_WITHIN: Duration = Duration::from_secs(20);
/// What may be spent on it on the way out; the next start signs what was left.
const LAST_WITHIN: Duration = Duration::from_secs(2);
/// Between two attempts to begin.
const PAUSE: Duration = Duration::from_secs(1);

pub struct Checkpointer {
    client: Client,
    key: AuditKey,
    asks: mpsc::Receiver<Ask>,
}

/// Why a walk ended.
enum Ended {
    /// The connection is another: the stream may be too.
    Again,
    Finished,
}

/// Why a checkpoint was not written.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("the end of the audit could not be read")]
    Read(#[from] nats::client::Error),
    #[error("the checkpoint could not be signed")]
    Sign(#[from] nats::signing::SignError),
    #[error("the checkpoint could not be stored")]
    Write(#[from] PublishError),
    #[error("it took too long")]
    TooLong,
    #[error("the audit is not followed any more")]
    Unfollowed,
}

/// A walk along the audit, and the records that come.
struct Walk {
    chain: Chain,
    records: mpsc::Receiver<Followed>,
}

impl Checkpointer {
    /// Opens the key, making it if there is none.
    pub fn open(client: &Client, key: &Path) -> Result<(Self, Trail), credentials::Error> {
        let key = AuditKey::open(key)?;
        let (sender, asks) = mpsc::channel(ASKS_MAX);
        let trail = Trail::new(client.clone(), key.public().clone(), sender);
        tracing::info!(key = %key.public(), "the audit is signed with this key");
        let client = client.clone();
        Ok((Self { client, key, asks }, trail))
    }

    /// Signs until it is to finish, and then once more.
    pub async fn run(mut self, finish: CancellationToken) {
        loop {
            let begun = finish.run_until_cancelled(self.begin());
            let Some(chain) = begun.await else { return };
            match self.walk(chain, &finish).await {
                Ended::Again => {}
                Ended::Finished => return,
            }
        }
    }

    /// Behind the last own checkpoint, or at the first record. Whatever others signed is walked again.
    async fn begin(&self) -> Chain {
        loop {
            self.client.connected().await;
            match self.client.last_checkpoint(self.key.public()).await {
                Ok(None) => return Chain::default(),
                Ok(Some(stored)) => {
                    if let Some(chain) = Chain::resume(&stored, self.key.public()) {
                        return chain;
                    }
                    tracing::error!(
                        audit.sequence = stored.sequence,
                        "what stands in the place of this coordinator's last checkpoint is none; walking the whole audit"
                    );
                    return Chain::default();
                }
                Err(error) => {
                    tracing::debug!(error = %crate::chain(&error), "the audit cannot be read yet");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    async fn walk(&mut self, chain: Chain, finish: &CancellationToken) -> Ended {
        let mut connection = self.client.connection();
        let generation = connection.borrow_and_update().generation;
        let records = self.client.follow_audit(chain.sequence() + 1);
        let mut walk = Walk { chain, records };
        let mut due = None;
        loop {
            let mut asked = None;
            tokio::select! {
                record = walk.records.recv() => match record {
                    Some(record) => walk.take(record),
                    None => return Ended::Again,
                },
                ask = self.asks.recv() => asked = ask,
                () = at(due) => {}
                () = another(&mut connection, generation) => return Ended::Again,
                () = finish.cancelled() => {
                    self.sign(&mut walk, LAST_WITHIN).await;
                    return Ended::Finished;
                }
            }
            let now = Instant::now();
            let is_due = due.is_some_and(|due| due <= now) || walk.chain.unsigned() >= RECORDS_MAX;
            if asked.is_some() || is_due {
                self.sign(&mut walk, WRITTEN_WITHIN).await;
                due = None;
            }
            if let Some(asked) = asked {
                // Who asked may have had enough of waiting.
                let _ = asked.send(());
            }
            due = (walk.chain.unsigned() > 0).then(|| due.unwrap_or(now + SIGNED_WITHIN));
        }
    }

    async fn sign(&self, walk: &mut Walk, within: Duration) {
        let signed = timeout(within, self.sign_all(walk)).await;
        if let Err(error) = signed.unwrap_or(Err(Error::TooLong)) {
            tracing::warn!(error = %crate::chain(&error), "the end of the audit is not signed yet");
        }
    }

    /// Until a checkpoint, of whomever, covers all that is stored now.
    async fn sign_all(&self, walk: &mut Walk) -> Result<(), Error> {
        let last = self.client.last_sequence(AUDIT).await?;
        walk.until(last).await?;
        while walk.chain.unsigned() > 0 {
            let checkpoint = walk.chain.sign(&self.key, Timestamp::now())?;
            match self.client.write_checkpoint(&checkpoint).await {
                Ok(sequence) => walk.until(sequence).await?,
                // Something came first: the next record, perhaps another's checkpoint.
                Err(PublishError::WrongLastSequence) => {
                    walk.until(checkpoint.through + 1).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl Walk {
    fn take(&mut self, record: Followed) {
        if let Err(wrong) = self.chain.take(&record.into()) {
            // It stays so, and is for people to look at. What comes after it is signed as it is.
            tracing::error!(%wrong, "the audit is not what was signed");
        }
    }

    async fn until(&mut self, sequence: u64) -> Result<(), Error> {
        while self.chain.sequence() < sequence {
            let record = self.records.recv().await.ok_or(Error::Unfollowed)?;
            self.take(record);
        }
        Ok(())
    }
}

/// Until there is another connection than that one.
async fn another(connection: &mut watch::Receiver<Connection>, generation: u64) {
    let another = connection.wait_for(|state| state.up && state.generation != generation);
    if another.await.is_err() {
        // The connection's own task is gone, and with it every later word.
        std::future::pending::<()>().await;
    }
}

/// Then, or never.
async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
