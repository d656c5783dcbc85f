//! Making the streams and buckets be as they should. Done by coordinators at start; safe to do from several at once, and
//! again: what has fewer copies than it should gets them.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::{MutexGuard, PoisonError};

use async_nats::jetstream::consumer::pull;

use super::connect::Client;
use super::error::Error;
use super::request::Patience;
use crate::ids::HostName;
use crate::stream::{self, Bucket};

impl Client {
    /// Creates or updates every stream and bucket of the fleet. `replicas` is 1 for a single server, 3 for a cluster.
    pub async fn ensure(&self, replicas: usize) -> Result<(), Error> {
        // Buckets first: the last of the streams may have to wait for a server that is away.
        for bucket in Bucket::ALL {
            self.jetstream
                .create_or_update_key_value(bucket.configuration(replicas))
                .await
                .map_err(|error| failed(bucket.stream(), &error))?;
        }
        for configuration in stream::all(replicas) {
            let what = configuration.name.clone();
            self.jetstream
                .create_or_update_stream(configuration)
                .await
                .map_err(|error| failed(what, &error))?;
        }
        for former in stream::FORMER {
            match self.jetstream.delete_stream(former).await {
                Ok(_) => tracing::info!(stream = former, "let go of a stream that nobody reads"),
                // It is not there, or the next coordinator lets go of it.
                Err(error) => tracing::trace!(%error, stream = former, "no stream to let go of"),
            }
        }
        Ok(())
    }

    /// Creates what one host needs: the consumer of its commands and its object bucket. Asks the server once for each
    /// connection; tried for as long as the choice of a leader takes.
    pub async fn ensure_host(&self, host: &HostName, replicas: usize) -> Result<(), Error> {
        let generation = self.connection().borrow().generation;
        if self.ready_hosts().get(host) == Some(&(generation, replicas)) {
            return Ok(());
        }
        let patience = Patience::new();
        while let Err(error) = self.make_ready(host, replicas).await {
            if !patience.again().await {
                return Err(error);
            }
        }
        self.ready_hosts()
            .insert(host.clone(), (generation, replicas));
        Ok(())
    }

    /// Nothing is done between taking and leaving it that could break off.
    fn ready_hosts(&self) -> MutexGuard<'_, HashMap<HostName, (u64, usize)>> {
        self.made_ready
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn make_ready(&self, host: &HostName, replicas: usize) -> Result<(), Error> {
        let what = || format!("the command consumer of {host}");
        let _: async_nats::jetstream::consumer::Consumer<pull::Config> = self
            .jetstream
            .create_consumer_on_stream(stream::command_consumer(host, replicas), stream::COMMANDS)
            .await
            .map_err(|error| failed(what(), &error))?;
        let bucket = stream::object_bucket(host);
        let beneath = format!("OBJ_{bucket}");
        let Ok(kept) = self.jetstream.get_stream(&beneath).await else {
            return self
                .jetstream
                .create_object_store(stream::object_store(host, replicas))
                .await
                .map(|_| ())
                .map_err(|error| failed(bucket, &error));
        };
        let mut configuration = kept.cached_info().config.clone();
        if configuration.num_replicas != replicas {
            configuration.num_replicas = replicas;
            self.jetstream
                .update_stream(configuration)
                .await
                .map_err(|error| failed(beneath, &error))?;
        }
        Ok(())
    }
}

fn failed(what: impl Into<String>, error: &dyn Display) -> Error {
    Error::Ensure {
        what: what.into(),
        cause: error.to_string(),
    }
}
