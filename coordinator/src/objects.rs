//! The whole of what was too big to travel: an event's data beside the stream, fetched when somebody looks at it.
//!
//! Owns the check that a host speaks of its own objects only. Deliberately knows nothing of who asks.

use nats::client::{self, Client};
use nats::event::ObjectReference;
use nats::ids::HostName;
use nats::stream;
use serde_json::Value;

/// What is fetched at most; more would not be looked at in a browser.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{host} names an object of another bucket, `{bucket}`")]
    Foreign { host: HostName, bucket: String },
    #[error("the object is larger than {BYTES_MAX} bytes")]
    TooLarge,
    #[error("could not read the object `{name}`")]
    Read {
        name: String,
        #[source]
        source: client::Error,
    },
    #[error("the object `{name}` is not JSON")]
    Malformed {
        name: String,
        #[source]
        source: serde_json::Error,
    },
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Objects {
    client: Client,
}

impl Objects {
    #[must_use]
    pub fn new(client: &Client) -> Self {
        Self {
            client: client.clone(),
        }
    }

    /// The whole `data` of an event of this host.
    pub async fn data(&self, host: &HostName, reference: &ObjectReference) -> Result<Value, Error> {
        if reference.bucket != stream::object_bucket(host) {
            return Err(Error::Foreign {
                host: host.clone(),
                bucket: reference.bucket.clone(),
            });
        }
        if reference.bytes > BYTES_MAX {
            return Err(Error::TooLarge);
        }
        let name = || reference.name.clone();
        let bytes = self
            .client
            .object(reference)
            .await
            .map_err(|source| Error::Read {
                name: name(),
                source,
            })?;
        serde_json::from_slice(&bytes).map_err(|source| Error::Malformed {
            name: name(),
            source,
        })
    }
}
