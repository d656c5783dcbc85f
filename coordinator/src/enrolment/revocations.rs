//! Takes a host out of the fleet, and sees to it that the servers know.
//!
//! The record is the truth and is changed by compare-and-set; the token that servers hold to is made from it. Whoever tells
//! them reads the record before and after: a coordinator that was slow tells again, and so the last word is the newest.

use std::sync::Arc;
use std::time::Duration;

use nats::client::{self, Change, Client, Entry, Options, Records, WriteError};
use nats::credentials::{COORDINATOR_INBOX, FleetAccount, HostPublicKey};
use nats::revocation::{FLEET, Revocation, RevocationsRecord};
use nats::stream::Bucket;
use tokio::sync::{Mutex, watch};
use tokio::time::{MissedTickBehavior, interval};

use super::office::Error;
use crate::dispatch::Persist;

/// A server that lost what it was told is told again within this.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Cheap to clone.
#[derive(Clone)]
pub struct Revocations {
    records: Records<RevocationsRecord>,
    persist: Persist,
    servers: Option<Arc<Servers>>,
    latest: watch::Sender<Arc<RevocationsRecord>>,
}

/// The servers, and the key with which they are told.
struct Servers {
    account: FleetAccount,
    system: Client,
    /// One tells at a time.
    turn: Mutex<()>,
}

impl Revocations {
    /// `account` is none for a coordinator without the key: it records, and another one tells the servers.
    pub async fn open(
        client: &Client,
        nats_url: &str,
        account: Option<FleetAccount>,
        persist: Persist,
    ) -> Result<Self, client::Error> {
        let servers = match account.filter(|account| account.system_credentials().exists()) {
            Some(account) => {
                let options = Options {
                    url: nats_url.to_owned(),
                    credentials: Some(account.system_credentials().to_owned()),
                    name: "flotilla coordinator accounts".to_owned(),
                    inbox_prefix: COORDINATOR_INBOX.to_owned(),
                };
                Some(Arc::new(Servers {
                    account,
                    system: Client::connect(options).await?,
                    turn: Mutex::new(()),
                }))
            }
            None => None,
        };
        Ok(Self {
            records: client.records(Bucket::Revocations),
            persist,
            servers,
            latest: watch::Sender::new(Arc::default()),
        })
    }

    /// For lists: the record as this coordinator heard it last, and every later one.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Arc<RevocationsRecord>> {
        self.latest.subscribe()
    }

    /// Whether this key was revoked, asked of the record itself.
    pub async fn of(&self, key: &HostPublicKey) -> Result<Option<Revocation>, Error> {
        let record = self.read().await?;
        Ok(record.and_then(|mut entry| entry.value.revoked.remove(key)))
    }

    /// Records it, once; the record that was first when somebody else was faster.
    pub async fn revoke(
        &self,
        key: &HostPublicKey,
        revocation: &Revocation,
    ) -> Result<Revocation, Error> {
        loop {
            let found = self.read().await?;
            let revision = found.as_ref().map(|entry| entry.revision);
            let mut record = found.map(|entry| entry.value).unwrap_or_default();
            if let Some(there) = record.revoked.get(key) {
                return Ok(there.clone());
            }
            record.revoked.insert(key.clone(), revocation.clone());
            let written = self
                .persist
                .until_stored(None, 0, async || match revision {
                    Some(revision) => self.records.update(FLEET, &record, revision).await,
                    None => self.records.create(FLEET, &record).await,
                })
                .await?;
            match written {
                Ok(_) => return Ok(revocation.clone()),
                // Somebody else has revoked another one; theirs stays.
                Err(WriteError::Conflict) => {}
                Err(error) => return Err(Error::Write(error)),
            }
        }
    }

    /// Sees to it that the servers hold to the record as it is now. False where this coordinator has no key for it.
    pub async fn tell(&self) -> Result<bool, Error> {
        let Some(servers) = &self.servers else {
            return Ok(false);
        };
        let _turn = servers.turn.lock().await;
        let mut before = self.read().await?;
        loop {
            let revision = before.as_ref().map(|entry| entry.revision);
            let record = before.map(|entry| entry.value).unwrap_or_default();
            servers.hold_to(&record).await.map_err(Error::Tell)?;
            let after = self.read().await?;
            if after.as_ref().map(|entry| entry.revision) == revision {
                return Ok(true);
            }
            before = after;
        }
    }

    /// Follows the record, and the servers, for ever.
    pub async fn follow(self) {
        let mut changes = self.records.watch();
        let mut connection = self.servers.as_ref().map(|it| it.system.connection());
        let mut tick = interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(change) = changes.recv() => match change {
                    Change::Put { key, value, .. } if key == FLEET => {
                        self.latest.send_replace(Arc::new(value));
                    }
                    Change::Put { .. } | Change::Gone { .. } => continue,
                    Change::UpToDate => {}
                },
                () = came_back(&mut connection) => {}
                _ = tick.tick() => {}
            }
            if let Err(error) = self.tell().await {
                tracing::warn!(
                    error = %crate::chain(&error),
                    "the NATS servers could not be told whom the fleet has revoked; they are told again by itself"
                );
            }
        }
    }

    async fn read(&self) -> Result<Option<Entry<RevocationsRecord>>, Error> {
        self.persist
            .until_stored(None, 0, || self.records.get(FLEET))
            .await?
            .map_err(Error::Read)
    }
}

impl Servers {
    async fn hold_to(&self, record: &RevocationsRecord) -> Result<(), client::Error> {
        let told = self.system.account_token(self.account.account()).await?;
        if told
            .as_deref()
            .is_some_and(|told| self.account.is_told(told, record))
        {
            return Ok(());
        }
        let token = self
            .account
            .token(record, told.as_deref())
            .map_err(|error| client::Error::Refused {
                what: "the token of the account".to_owned(),
                cause: crate::chain(&error).to_string(),
            })?;
        self.system.update_account(token).await?;
        tracing::info!(
            revoked = record.revoked.len(),
            "the NATS servers were told whom the fleet has revoked"
        );
        Ok(())
    }
}

/// When a connection comes up again: the server behind it may be another one.
async fn came_back(connection: &mut Option<watch::Receiver<client::Connection>>) {
    if let Some(connection) = connection {
        let before = connection.borrow_and_update().generation;
        let up = |state: &client::Connection| state.up && state.generation != before;
        if connection.wait_for(up).await.is_ok() {
            return;
        }
    }
    std::future::pending().await
}
