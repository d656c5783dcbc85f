//! The host's queue of commands: each goes to its session, and is acknowledged once it is on disk there.
//!
//! Owns nothing durable. What cannot be carried out by anybody is refused for good, and said so in the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nats::client::{self, CommandDelivery};
use nats::command::{Command, Order};
use nats::ids::HostName;
use nats::seal::Commanders;
use nats::{Client, Wire};
use tokio_util::sync::CancellationToken;

use crate::sessions::{self, Sessions};

/// How many commands were refused for good since the runner started. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Refused(Arc<AtomicU64>);

impl Refused {
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn one_more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The consumer is made by a coordinator; before the first one has run there is none.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(250);

/// Takes commands until cancelled.
pub async fn take(
    host: HostName,
    commanders: Commanders,
    client: Client,
    sessions: Sessions,
    refused: Refused,
    token: CancellationToken,
) {
    let mut feed = client.commands(&host);
    loop {
        let next = tokio::select! {
            next = feed.next() => next,
            () = token.cancelled() => return,
        };
        match next {
            Ok(delivery) => {
                let order = delivery.order(&commanders);
                if !deliver(&host, order, &delivery, &sessions).await {
                    refused.one_more();
                }
            }
            Err(error) => {
                tracing::debug!(%error, "no commands for now");
                tokio::select! {
                    () = tokio::time::sleep(PAUSE_AFTER_ERROR) => {}
                    () = token.cancelled() => return,
                }
            }
        }
    }
}

/// False when it was refused for good.
async fn deliver(
    host: &HostName,
    order: Result<Order, client::Error>,
    delivery: &CommandDelivery,
    sessions: &Sessions,
) -> bool {
    let outcome = match order {
        Ok(order) if order.host == *host => delivery.hold(hand_over(order, sessions)).await,
        Ok(order) => Err(sessions::Error::NotOurs { host: order.host }),
        Err(error) => Err(sessions::Error::NotTaken(error)),
    };
    let is_refused = outcome.as_ref().is_err_and(|error| !error.may_pass());
    let answered = match outcome {
        Ok(()) => delivery.acknowledge().await,
        Err(error) if error.may_pass() => {
            tracing::warn!(error = %crate::chain(&error), nats.subject = delivery.subject(), "a command must wait");
            delivery.postpone().await
        }
        Err(error) => {
            tracing::error!(error = %crate::chain(&error), nats.subject = delivery.subject(), "a command was refused for good");
            delivery.refuse().await
        }
    };
    if let Err(error) = answered {
        // It comes again; sessions know commands they have taken.
        tracing::debug!(%error, "a command could not be acknowledged");
    }
    !is_refused
}

async fn hand_over(order: Order, sessions: &Sessions) -> Result<(), sessions::Error> {
    match &order.body {
        Wire::Known(Command::SessionStart(start)) => {
            let start = start.clone();
            sessions.start(&order, start)
        }
        Wire::Known(Command::SessionReport(asked)) => {
            sessions.report(&order, *asked);
            Ok(())
        }
        _ => sessions.tell(order).await,
    }
}
