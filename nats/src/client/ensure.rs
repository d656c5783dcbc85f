//! Making the streams and buckets be as they should. Done by coordinators at start; safe to do from several at once.

use super::connect::Client;
use super::error::Error;
use crate::ids::HostName;
use crate::stream::{self, Bucket};

impl Client {
    /// Creates or updates every stream and bucket of the fleet. `replicas` is 1 for a single server, 3 for a cluster.
    pub async fn ensure(&self, replicas: usize) -> Result<(), Error> {
        for configuration in stream::all(replicas) {
            let what = configuration.name.clone();
            self.jetstream
                .create_or_update_stream(configuration)
                .await
                .map_err(|error| Error::Ensure {
                    what,
                    cause: error.to_string(),
                })?;
        }
        for bucket in Bucket::ALL {
            self.jetstream
                .create_or_update_key_value(bucket.configuration(replicas))
                .await
                .map_err(|error| Error::Ensure {
                    what: bucket.stream(),
                    cause: error.to_string(),
                })?;
        }
        Ok(())
    }

    /// Creates what one host needs: the consumer of its commands and its object bucket.
    pub async fn ensure_host(&self, host: &HostName, replicas: usize) -> Result<(), Error> {
        self.jetstream
            .create_consumer_on_stream(stream::command_consumer(host), stream::COMMANDS)
            .await
            .map_err(|error| Error::Ensure {
                what: format!("the command consumer of {host}"),
                cause: error.to_string(),
            })?;
        let bucket = stream::object_bucket(host);
        if self.jetstream.get_object_store(&bucket).await.is_ok() {
            return Ok(());
        }
        self.jetstream
            .create_object_store(stream::object_store(host, replicas))
            .await
            .map(|_| ())
            .map_err(|error| Error::Ensure {
                what: bucket,
                cause: error.to_string(),
            })
    }
}
