//! Records in key-value buckets, read and written on their plain subjects.
//!
//! Not through the library's key-value type: its updates clear a key's time to live, and opening a bucket needs a
//! right that lets a host list everybody's keys.

use std::marker::PhantomData;
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use super::connect::Client;
use super::error::Error;
use super::follow::{Followed, From};
use super::publish::{Expect, PublishError};
use super::request::{Patience, Unanswered};
use crate::stream::Bucket;

/// One bucket, seen as records of one type.
#[derive(Clone)]
pub struct Records<T> {
    client: Client,
    bucket: Bucket,
    record: PhantomData<fn() -> T>,
}

/// A record and the revision to name when changing it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<T> {
    pub revision: u64,
    pub value: T,
}

/// What happened to a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Change<T> {
    Put {
        key: String,
        revision: u64,
        value: T,
    },
    /// Deleted, or its time to live ran out.
    Gone { key: String, revision: u64 },
    /// Everything that was there when the watch began has been told.
    UpToDate,
}

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("the record has changed meanwhile")]
    Conflict,
    #[error(transparent)]
    Failed(#[from] Error),
}

impl WriteError {
    /// Whether the same write may do better in a moment.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Conflict => false,
            Self::Failed(error) => error.is_passing(),
        }
    }
}

impl Client {
    #[must_use]
    pub fn records<T>(&self, bucket: Bucket) -> Records<T> {
        Records {
            client: self.clone(),
            bucket,
            record: PhantomData,
        }
    }

    /// The newest message on `filter`, which may hold wildcards: its stream sequence and body.
    pub(super) async fn last_message(
        &self,
        stream: &str,
        filter: &str,
    ) -> Result<Option<(u64, Bytes)>, Error> {
        Ok(self
            .last_raw(stream, filter)
            .await?
            .map(|(sequence, _, payload)| (sequence, payload)))
    }

    pub(super) async fn last_raw(
        &self,
        stream: &str,
        filter: &str,
    ) -> Result<Option<(u64, HeaderMap, Bytes)>, Error> {
        let subject = format!("$JS.API.DIRECT.GET.{stream}.{filter}");
        let patience = Patience::new();
        let reply = loop {
            match self.ask(&subject, HeaderMap::new(), Bytes::new()).await {
                Ok(reply) => break reply,
                Err(Unanswered::Nobody | Unanswered::Lost) if patience.again().await => {}
                Err(Unanswered::TooBig(cause)) => return Err(Error::read(filter, &cause)),
                Err(Unanswered::Nobody) => {
                    return Err(Error::read(filter, &"nobody keeps the stream"));
                }
                Err(Unanswered::Away | Unanswered::Lost) => {
                    return Err(Error::TimedOut {
                        what: filter.to_owned(),
                    });
                }
            }
        };
        match reply.status {
            Some(status) if status == async_nats::StatusCode::NOT_FOUND => return Ok(None),
            Some(status) => return Err(Error::read(filter, &status)),
            None => {}
        }
        let headers = reply.headers.unwrap_or_default();
        let sequence = headers
            .get("Nats-Sequence")
            .and_then(|value| value.as_str().parse().ok())
            .ok_or_else(|| Error::read(filter, &"an answer without a sequence"))?;
        Ok(Some((sequence, headers, reply.payload)))
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Records<T> {
    /// The record under `key`, if there is one.
    pub async fn get(&self, key: &str) -> Result<Option<Entry<T>>, Error> {
        let subject = self.bucket.key(key);
        let Some((revision, headers, payload)) = self
            .client
            .last_raw(&self.bucket.stream(), &subject)
            .await?
        else {
            return Ok(None);
        };
        if is_gone(Some(&headers)) {
            return Ok(None);
        }
        let value = serde_json::from_slice(&payload).map_err(|source| Error::Malformed {
            what: subject,
            source,
        })?;
        Ok(Some(Entry { revision, value }))
    }

    /// The record under `key`, of which a refusal has told that it is there. In a cluster the copy that is asked may be a
    /// moment behind the one that refused.
    pub async fn get_existing(&self, key: &str) -> Result<Entry<T>, Error> {
        let patience = Patience::new();
        loop {
            match self.get(key).await? {
                Some(entry) => return Ok(entry),
                None if patience.again().await => {}
                None => {
                    return Err(Error::Behind {
                        what: self.bucket.key(key),
                    });
                }
            }
        }
    }

    /// Writes a record that must not be there yet.
    pub async fn create(&self, key: &str, value: &T) -> Result<u64, WriteError> {
        match self.write(key, value, Some(0), None).await {
            Err(WriteError::Conflict) => {
                // A deleted key has a last message too: its marker is what must be there.
                let subject = self.bucket.key(key);
                match self
                    .client
                    .last_raw(&self.bucket.stream(), &subject)
                    .await?
                {
                    Some((revision, headers, _)) if is_gone(Some(&headers)) => {
                        self.write(key, value, Some(revision), None).await
                    }
                    _ => Err(WriteError::Conflict),
                }
            }
            other => other,
        }
    }

    /// Replaces the record at `revision`.
    pub async fn update(&self, key: &str, value: &T, revision: u64) -> Result<u64, WriteError> {
        self.write(key, value, Some(revision), None).await
    }

    /// Writes whatever is there.
    pub async fn put(&self, key: &str, value: &T) -> Result<u64, WriteError> {
        self.write(key, value, None, None).await
    }

    /// Writes a record that vanishes unless it is written again within `time_to_live` (whole seconds).
    pub async fn put_for(
        &self,
        key: &str,
        value: &T,
        time_to_live: Duration,
    ) -> Result<u64, WriteError> {
        self.write(key, value, None, Some(time_to_live)).await
    }

    /// Removes the record.
    pub async fn delete(&self, key: &str) -> Result<(), WriteError> {
        let mut headers = HeaderMap::new();
        headers.insert("KV-Operation", "DEL");
        self.send(key, headers, Bytes::new(), None)
            .await
            .map(|_| ())
    }

    /// Every record as it is now, then every change. Records that cannot be read are left out and logged.
    #[must_use]
    pub fn watch(&self) -> mpsc::Receiver<Change<T>> {
        let (sender, receiver) = mpsc::channel(256);
        let prefix = self.bucket.key("");
        let mut messages = self.client.follow(
            self.bucket.stream(),
            format!("{prefix}>"),
            From::LastPerSubject,
        );
        let (client, stream) = (self.client.clone(), self.bucket.stream());
        tokio::spawn(async move {
            let mut told_up_to_date = false;
            if client.is_empty(&stream).await && sender.send(Change::UpToDate).await.is_ok() {
                told_up_to_date = true;
            }
            while let Some(message) = messages.recv().await {
                let caught_up = message.pending == 0;
                if let Some(change) = read_change(&prefix, message)
                    && sender.send(change).await.is_err()
                {
                    return;
                }
                if caught_up && !told_up_to_date {
                    told_up_to_date = true;
                    if sender.send(Change::UpToDate).await.is_err() {
                        return;
                    }
                }
            }
        });
        receiver
    }

    async fn write(
        &self,
        key: &str,
        value: &T,
        expected: Option<u64>,
        ttl: Option<Duration>,
    ) -> Result<u64, WriteError> {
        let body = serde_json::to_vec(value).map_err(|source| Error::Malformed {
            what: self.bucket.key(key),
            source,
        })?;
        let mut headers = HeaderMap::new();
        if let Some(ttl) = ttl {
            headers.insert("Nats-TTL", format!("{}s", ttl.as_secs().max(1)).as_str());
        }
        self.send(key, headers, body.into(), expected).await
    }

    async fn send(
        &self,
        key: &str,
        headers: HeaderMap,
        body: Bytes,
        expected: Option<u64>,
    ) -> Result<u64, WriteError> {
        let subject = self.bucket.key(key);
        let expect = expected.map_or(Expect::Nothing, |sequence| Expect::LastOn {
            filter: subject.clone(),
            sequence,
        });
        let published = self.client.publish(&subject, &headers, &body, &expect);
        match published.await {
            Ok(revision) => Ok(revision),
            Err(PublishError::WrongLastSequence) => Err(WriteError::Conflict),
            Err(PublishError::TimedOut) => self.written(&subject, &headers, &body, &expect).await,
            Err(refusal) => Err(Error::write(subject, &refusal).into()),
        }
    }

    /// After an answer was lost: the record itself tells whether it was written.
    async fn written(
        &self,
        subject: &str,
        headers: &HeaderMap,
        body: &Bytes,
        expect: &Expect,
    ) -> Result<u64, WriteError> {
        let timed_out = || Error::TimedOut {
            what: subject.to_owned(),
        };
        // A heartbeat that comes late is worse than none.
        if headers.get("Nats-TTL").is_some() {
            return Err(timed_out().into());
        }
        match self
            .client
            .publish_until_sure(subject, headers, body, expect)
            .await
        {
            Ok(revision) => Ok(revision),
            Err(PublishError::WrongLastSequence) => {
                let last = self.client.last_raw(&self.bucket.stream(), subject).await?;
                match last {
                    Some((revision, kept, written))
                        if written == *body && is_gone(Some(&kept)) == is_gone(Some(headers)) =>
                    {
                        Ok(revision)
                    }
                    _ => Err(WriteError::Conflict),
                }
            }
            Err(_) => Err(timed_out().into()),
        }
    }
}

impl Client {
    /// Whether a stream holds nothing at all; a watch of it would otherwise never say that it is up to date.
    async fn is_empty(&self, stream: &str) -> bool {
        loop {
            self.connected().await;
            match self.jetstream.get_stream(stream).await {
                Ok(stream) => return stream.cached_info().state.messages == 0,
                Err(error) => {
                    tracing::debug!(%error, stream, "the stream is not there yet");
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
            }
        }
    }
}

fn read_change<T: DeserializeOwned>(prefix: &str, message: Followed) -> Option<Change<T>> {
    let key = message.subject.strip_prefix(prefix)?.to_owned();
    let revision = message.sequence;
    if is_gone(message.headers.as_ref()) {
        return Some(Change::Gone { key, revision });
    }
    match serde_json::from_slice(&message.payload) {
        Ok(value) => Some(Change::Put {
            key,
            revision,
            value,
        }),
        Err(error) => {
            tracing::error!(%error, nats.subject = message.subject, "a record cannot be read");
            None
        }
    }
}

fn is_gone(headers: Option<&HeaderMap>) -> bool {
    headers.is_some_and(|headers| {
        headers.get("KV-Operation").is_some() || headers.get("Nats-Marker-Reason").is_some()
    })
}
