//! One connection to NATS that never gives up, and says when it came and went.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::jetstream::{self, Context};
use tokio::sync::watch;

use super::error::Error;
use super::reconnect::Reconnect;
use super::sign_in;
use crate::ids::HostName;

/// Half of a silent connection's life: two missed answers and it is taken for dead.
const PING_EVERY: Duration = Duration::from_secs(3);
/// How long any one request may take before it counts as unanswered.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub struct Options {
    /// `nats://127.0.0.1:4222`, or several with commas.
    pub url: String,
    /// A `.creds` file; none for a server without authentication, as in tests.
    pub credentials: Option<PathBuf>,
    /// What the server's connection list shows.
    pub name: String,
    /// Answers arrive below this; a host's credential allows its own only.
    pub inbox_prefix: String,
}

/// Whether there is a server at the other end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Connection {
    pub up: bool,
    /// Counts the times it came up. Consumers made before the last one are best made again.
    pub generation: u64,
}

/// Cheap to clone; all clones share the connection.
#[derive(Clone)]
pub struct Client {
    pub(super) nats: async_nats::Client,
    pub(super) jetstream: Context,
    connection: watch::Receiver<Connection>,
    /// For which hosts all was made, on which connection, with how many copies.
    pub(super) made_ready: Arc<Mutex<HashMap<HostName, (u64, usize)>>>,
}

impl Client {
    /// Starts connecting and returns at once: a server that is away is waited for. Only what can never work, such
    /// as unreadable credentials, is an error.
    pub async fn connect(options: Options) -> Result<Self, Error> {
        let (sender, connection) = watch::channel(Connection::default());
        let reconnect = Reconnect::default();
        let connect = match &options.credentials {
            Some(path) => sign_in::with_file(path)?,
            None => ConnectOptions::new(),
        };
        let paced = reconnect.clone();
        let urls: Vec<String> = options
            .url
            .split(',')
            .map(str::trim)
            .map(str::to_owned)
            .collect();
        let nats = connect
            .name(&options.name)
            .custom_inbox_prefix(&options.inbox_prefix)
            .ping_interval(PING_EVERY)
            .request_timeout(Some(REQUEST_TIMEOUT))
            .retry_on_initial_connect()
            .max_reconnects(None)
            .reconnect_delay_callback(move |attempt| paced.pause_before(attempt))
            .event_callback(move |event| {
                note(&sender, &reconnect, &event);
                std::future::ready(())
            })
            .connect(urls)
            .await
            .map_err(|error| Error::Connect {
                url: options.url.clone(),
                cause: error.to_string(),
            })?;
        let jetstream = jetstream::new(nats.clone());
        Ok(Self {
            nats,
            jetstream,
            connection,
            made_ready: Arc::default(),
        })
    }

    /// The latest word on the connection, and every later one.
    #[must_use]
    pub fn connection(&self) -> watch::Receiver<Connection> {
        self.connection.clone()
    }

    /// Waits until there is a server, for as long as it takes.
    pub async fn connected(&self) {
        // The sender lives in the connection's own task; when that is gone, nothing will ever connect.
        let mut connection = self.connection.clone();
        if connection.wait_for(|state| state.up).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Sends what is buffered and closes. Nothing of it may be used afterwards.
    pub async fn close(&self) {
        if let Err(error) = self.nats.drain().await {
            tracing::debug!(%error, "the NATS connection was already closed");
        }
    }
}

/// Whether a text is the address of one server, as [`Options::url`] takes it.
#[must_use]
pub fn is_address(text: &str) -> bool {
    text.parse::<async_nats::ServerAddr>()
        .is_ok_and(|address| !address.host().is_empty())
}

fn note(sender: &watch::Sender<Connection>, reconnect: &Reconnect, event: &async_nats::Event) {
    use async_nats::{Event, ServerError};
    match event {
        Event::Connected => {
            reconnect.connected();
            sender.send_modify(|connection| {
                connection.up = true;
                connection.generation += 1;
            });
            tracing::info!("connected to NATS");
        }
        Event::Disconnected | Event::Closed => {
            reconnect.disconnected();
            sender.send_modify(|connection| connection.up = false);
            tracing::warn!("NATS is away; trying again");
        }
        // Denied publishes are silent for their caller: this is the only place that says why.
        Event::ServerError(ServerError::AuthorizationViolation) => reconnect.turned_away(),
        Event::ServerError(ServerError::Other(error)) if sign_in::has_expired(error) => {
            reconnect.expired();
        }
        Event::ServerError(ServerError::Other(error)) if sign_in::was_revoked(error) => {
            reconnect.turned_away();
        }
        Event::ClientError(error) if sign_in::is_refused(error) => reconnect.turned_away(),
        Event::ServerError(error) => tracing::error!(%error, "the NATS server refused something"),
        Event::ClientError(error) => tracing::debug!(%error, "the NATS client met an error"),
        other => tracing::debug!(event = %other, "NATS connection event"),
    }
}
