//! The loop: wait, ask one way, ask the other, write what came.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nats::credentials::{HostKey, jwt, private_file};
use nats::ids::HostName;
use nats::renewal::Renewed;
use nats::signing::SignError;
use nats::{Client, client};
use tokio_util::sync::CancellationToken;

use super::ask;
use super::schedule::{due_in, pause_after};
use super::token::{self, Life};

/// A machine that slept has another time than its timers.
const LOOK_EVERY: Duration = Duration::from_secs(10 * 60);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not read `{path}`")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("`{path}` is not a credentials file")]
    Parse {
        path: PathBuf,
        #[source]
        source: nats::credentials::CredsError,
    },
    #[error("the token is none")]
    Token(#[source] jwt::Error),
    #[error("no coordinator could be asked over NATS")]
    Nats(#[source] client::Error),
    #[error("the coordinator could not be asked directly")]
    Https(#[source] reqwest::Error),
    #[error("the coordinator answered {0} where it was asked directly")]
    Answer(reqwest::StatusCode),
    #[error("the coordinator says no: {0}")]
    Refused(String),
    #[error("the key of this host cannot sign")]
    Prove(#[source] SignError),
    #[error("what came is a token of another key")]
    NotOurs,
    #[error("could not write `{path}`")]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Renews until cancelled. `coordinator` is where to ask when NATS cannot be.
pub async fn keep(
    host: HostName,
    creds: PathBuf,
    coordinator: Option<String>,
    client: Client,
    token: CancellationToken,
) {
    let mut failures = 0;
    loop {
        let pause = match token::read(&creds) {
            Ok((_, None)) => return,
            Ok((key, Some(life))) => {
                let due = due_in(life);
                if failures == 0 && !due.is_zero() {
                    due.min(LOOK_EVERY)
                } else {
                    let asked = renew(&host, &creds, coordinator.as_deref(), &client, &key);
                    let outcome = tokio::select! {
                        outcome = asked => outcome,
                        () = token.cancelled() => return,
                    };
                    failures = said(outcome, failures, life, coordinator.as_deref());
                    if failures == 0 {
                        continue;
                    }
                    pause_after(failures, life)
                }
            }
            Err(error) => {
                tracing::error!(error = %crate::chain(&error), "this host cannot renew what it signs in with");
                return;
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = token.cancelled() => return,
        }
    }
}

/// Over NATS, else directly: a server that does not let us in can carry no question.
async fn renew(
    host: &HostName,
    creds: &Path,
    coordinator: Option<&str>,
    client: &Client,
    key: &HostKey,
) -> Result<Renewed, Error> {
    let renewed = match (ask::over_nats(client, host).await, coordinator) {
        (Err(Error::Nats(_)), Some(url)) => ask::over_https(url, host, key).await,
        (outcome, _) => outcome,
    }?;
    let claims = jwt::claims(&renewed.jwt).map_err(Error::Token)?;
    if claims["sub"] != key.public().to_string() {
        return Err(Error::NotOurs);
    }
    let text = key.creds(&renewed.jwt).map_err(|source| Error::Parse {
        path: creds.to_owned(),
        source,
    })?;
    tokio::task::block_in_place(|| private_file::write(creds, &text)).map_err(|source| {
        Error::Write {
            path: creds.to_owned(),
            source,
        }
    })?;
    Ok(renewed)
}

/// Says what came of it, the first failure and none of those that follow it; gives the failures in a row.
fn said(
    outcome: Result<Renewed, Error>,
    failures: u32,
    life: Life,
    coordinator: Option<&str>,
) -> u32 {
    match outcome {
        Ok(renewed) => {
            tracing::info!(until = %renewed.expires_at, "this host has a new token");
            0
        }
        Err(error) => {
            let error = crate::chain(&error);
            let directly = coordinator.unwrap_or("(no `[runner] coordinator` is set)");
            if failures > 0 {
                tracing::debug!(error, "this host still has no new token");
            } else if life.is_over() {
                tracing::error!(
                    error,
                    coordinator = directly,
                    "what this host signs in with has ended and could not be renewed; it asks again by itself. If the \
                     host was revoked or removed, enrol it anew with “Add a host” or `flotilla host enrol`"
                );
            } else {
                tracing::warn!(
                    error,
                    days_left = (life.whole - life.passed).as_secs() / 86_400,
                    "what this host signs in with could not be renewed yet; it asks again by itself"
                );
            }
            failures + 1
        }
    }
}
