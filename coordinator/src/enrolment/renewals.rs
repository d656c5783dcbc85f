//! Answers hosts that ask over NATS for another day.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use nats::client::{Asking, Client};
use nats::renewal::{Refused, RenewalAnswer, Renewed};
use tokio::time::sleep;

use super::office::{Error, Office};

const VERSION: u8 = 1;
/// Hosts ask once a day; more than these at once wait a moment.
const AT_ONCE_MAX: usize = 16;
const PAUSE: Duration = Duration::from_secs(1);

/// Answers for ever.
pub async fn answer(client: Client, office: Arc<Office>) {
    loop {
        client.connected().await;
        match client.renewals().await {
            Ok(asking) => {
                asking
                    .for_each_concurrent(AT_ONCE_MAX, |asking| answer_one(&office, asking))
                    .await;
            }
            Err(error) => {
                tracing::warn!(error = %crate::chain(&error), "hosts cannot be heard that ask for a new token");
            }
        }
        sleep(PAUSE).await;
    }
}

async fn answer_one(office: &Office, asking: Asking) {
    let host = &asking.host;
    let (renewed, refused) = match office.renew(host).await {
        Ok(granted) => {
            tracing::info!(%host, until = %granted.expires_at, "a host has a new token");
            let renewed = Renewed {
                jwt: granted.jwt,
                expires_at: granted.expires_at,
            };
            (Some(renewed), None)
        }
        Err(Error::Refused(refused)) => {
            tracing::warn!(%host, %refused, "a host was refused a new token");
            let refused = Refused {
                code: refused.code().to_owned(),
                message: refused.to_string(),
            };
            (None, Some(refused))
        }
        Err(error) => {
            // It asks again, and another coordinator may know better.
            tracing::warn!(%host, error = %crate::chain(&error), "a host could not be given a new token");
            return;
        }
    };
    let answer = RenewalAnswer {
        v: VERSION,
        renewed,
        refused,
    };
    if let Err(error) = asking.answer(&answer).await {
        tracing::warn!(%host, error = %crate::chain(&error), "a host could not be answered");
    }
}
