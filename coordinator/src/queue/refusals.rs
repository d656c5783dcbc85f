//! Hears hosts that have no slot for what was placed on them, and puts it back into the line.
//!
//! A refusal that nobody hears is told again: the start of a session that has not begun is sent again.

use std::pin::pin;

use futures::StreamExt as _;
use nats::client::Client;
use nats::report::{Answer, ReportMessage};
use nats::wire::Wire;
use tokio::time::{Duration, sleep};

use super::full::Full;
use crate::dispatch::Dispatch;
use crate::hosts::Hosts;
use crate::projection::{Reader, query};

const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(500);

/// Hears for ever.
pub async fn hear(client: Client, dispatch: Dispatch, reader: Reader, hosts: Hosts, full: Full) {
    loop {
        match client.start_refusals().await {
            Ok(refusals) => {
                let mut refusals = pin!(refusals);
                while let Some(refusal) = refusals.next().await {
                    take(&refusal, &dispatch, &reader, &hosts, &full).await;
                }
            }
            Err(error) => tracing::warn!(%error, "refusals of hosts cannot be heard"),
        }
        sleep(PAUSE_AFTER_ERROR).await;
    }
}

async fn take(
    message: &ReportMessage,
    dispatch: &Dispatch,
    reader: &Reader,
    hosts: &Hosts,
    full: &Full,
) {
    let Wire::Known(Answer::StartRefused(refused)) = &message.body else {
        return;
    };
    let (session, host) = (message.session, &message.host);
    full.note(host, &hosts.view());
    let known = reader
        .read(move |connection| query::session(connection, session))
        .await;
    if known.is_ok_and(|known| known.is_some_and(|known| known.last_seq() > 0)) {
        // It would be at work twice.
        tracing::error!(session.id = %session, %host, "a host refuses a session that has begun; ignored");
        return;
    }
    match dispatch.queue_again(session, host, message.epoch).await {
        Ok(Some(_)) => {
            tracing::info!(session.id = %session, %host, reason = refused.reason, "a host has no slot for a session; it waits again");
        }
        // Another coordinator has heard it as well, or the host speaks of a session that is not its own.
        Ok(None) => {}
        Err(error) => {
            tracing::warn!(error = %crate::chain(&error), session.id = %session, "a session could not be put back into the line; its host says so again");
        }
    }
}
