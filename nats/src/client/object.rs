//! Objects of a host: what is too big for an event, and what people attach.
//!
//! Reading goes by batched direct get: the library's own reader needs a consumer whose deliver subject lies in
//! another account once hosts have an account of their own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::connect::{Client, REQUEST_TIMEOUT};
use super::error::Error;
use super::request::Patience;
use crate::event::ObjectReference;
use crate::ids::HostName;
use crate::stream;

/// Chunks asked for at once.
const CHUNKS_PER_REQUEST: u32 = 64;

impl Client {
    /// Stores bytes under `name` in the host's bucket.
    pub async fn put_object(
        &self,
        host: &HostName,
        name: &str,
        bytes: &[u8],
    ) -> Result<ObjectReference, Error> {
        let bucket = stream::object_bucket(host);
        // Stored twice it is the same object, so whatever went wrong may be tried again.
        let patience = Patience::new();
        while let Err(error) = self.put_once(&bucket, name, bytes).await {
            if !patience.again().await {
                return Err(error);
            }
        }
        Ok(ObjectReference {
            bucket,
            name: name.to_owned(),
            bytes: bytes.len() as u64,
            sha256: hex::encode(Sha256::digest(bytes)),
        })
    }

    async fn put_once(&self, bucket: &str, name: &str, mut bytes: &[u8]) -> Result<(), Error> {
        let failed = |cause: String| Error::Write {
            what: format!("{bucket}/{name}"),
            cause,
        };
        let store = self
            .jetstream
            .get_object_store(bucket)
            .await
            .map_err(|error| failed(error.to_string()))?;
        store
            .put(name, &mut bytes)
            .await
            .map(|_| ())
            .map_err(|error| failed(error.to_string()))
    }

    /// The bytes of an object, checked against the hash in its reference.
    pub async fn object(&self, reference: &ObjectReference) -> Result<Bytes, Error> {
        let what = || format!("{}/{}", reference.bucket, reference.name);
        self.find_object(reference)
            .await?
            .ok_or_else(|| Error::read(what(), &"there is no such object"))
    }

    /// The same; none when there is no such object, or none any more.
    pub async fn find_object(&self, reference: &ObjectReference) -> Result<Option<Bytes>, Error> {
        let what = format!("{}/{}", reference.bucket, reference.name);
        let store = format!("OBJ_{}", reference.bucket);
        let about = format!(
            "$O.{}.M.{}",
            reference.bucket,
            URL_SAFE.encode(&reference.name)
        );
        let Some((_, payload)) = self.last_message(&store, &about).await? else {
            return Ok(None);
        };
        let about: About = serde_json::from_slice(&payload).map_err(|source| Error::Malformed {
            what: what.clone(),
            source,
        })?;
        if about.deleted {
            return Ok(None);
        }
        let bytes = self
            .chunks(
                &store,
                &format!("$O.{}.C.{}", reference.bucket, about.nuid),
                &what,
            )
            .await?;
        if hex::encode(Sha256::digest(&bytes)) != reference.sha256 {
            return Err(Error::Damaged { what });
        }
        Ok(Some(bytes))
    }

    async fn chunks(&self, store: &str, subject: &str, what: &str) -> Result<Bytes, Error> {
        let mut whole = BytesMut::new();
        let mut next = 1_u64;
        loop {
            let inbox = self.nats.new_inbox();
            let mut replies = self
                .nats
                .subscribe(inbox.clone())
                .await
                .map_err(|error| Error::read(what, &error))?;
            let body = serde_json::json!({"seq": next, "next_by_subj": subject, "batch": CHUNKS_PER_REQUEST});
            self.nats
                .publish_with_reply(
                    format!("$JS.API.DIRECT.GET.{store}"),
                    inbox,
                    body.to_string().into(),
                )
                .await
                .map_err(|error| Error::read(what, &error))?;
            let mut more = false;
            loop {
                let reply = tokio::time::timeout(REQUEST_TIMEOUT, replies.next())
                    .await
                    .map_err(|_| Error::TimedOut {
                        what: what.to_owned(),
                    })?
                    .ok_or_else(|| Error::read(what, &"the answer broke off"))?;
                if reply.status.is_some() {
                    break; // 204 ends a batch, 404 says there was nothing left.
                }
                let headers = reply.headers.unwrap_or_default();
                let sequence = headers
                    .get("Nats-Sequence")
                    .and_then(|value| value.as_str().parse::<u64>().ok());
                let pending = headers
                    .get("Nats-Num-Pending")
                    .and_then(|value| value.as_str().parse::<u64>().ok());
                next =
                    sequence.ok_or_else(|| Error::read(what, &"a chunk without a sequence"))? + 1;
                more = pending.is_some_and(|pending| pending > 0);
                whole.extend_from_slice(&reply.payload);
            }
            if !more {
                return Ok(whole.freeze());
            }
        }
    }
}

#[derive(Deserialize)]
struct About {
    nuid: String,
    #[serde(default)]
    deleted: bool,
}
