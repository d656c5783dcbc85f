//! Finishes what another coordinator, or this one before it was restarted, has begun.
//!
//! A recorded decision is sent until the session's log answers it; a session's start is sent until its first event.
//! Both are the same command each time, so nothing happens twice. Activated by a timer, given no input, and
//! idempotent: any number of coordinators may do it at once.

use nats::Timestamp;
use tokio::time::{Duration, MissedTickBehavior, interval};

use crate::dispatch::Dispatch;
use crate::projection::{Reader, query};

const EVERY: Duration = Duration::from_secs(3);
/// What is younger is on its way by the one who began it.
const GRACE_MS: i64 = 2_000;

/// Looks for ever.
pub async fn run(dispatch: Dispatch, reader: Reader) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = look(&dispatch, &reader).await {
            tracing::error!(error = %crate::chain(&error), "what is unfinished could not be looked up");
        }
    }
}

async fn look(dispatch: &Dispatch, reader: &Reader) -> Result<(), crate::projection::Error> {
    let young = Timestamp::from_milliseconds(Timestamp::now().milliseconds() - GRACE_MS);
    let (gates, sessions) = reader
        .read(move |connection| {
            Ok((
                query::unsettled_gates(connection)?,
                query::sessions_not_begun(connection, young)?,
            ))
        })
        .await?;
    // The start first: a decision of a session that has not begun does not exist.
    for session in sessions {
        if let Err(error) = dispatch.start(&session.record).await {
            tracing::warn!(error = %crate::chain(&error), session.id = %session.id(), "a session's start could not be sent again");
            return Ok(());
        }
    }
    for gate in gates {
        let Some(record) = gate
            .facts
            .recorded
            .as_ref()
            .filter(|record| record.decision.at < young)
        else {
            continue;
        };
        if let Err(error) = dispatch.decide(&gate.session.record, record).await {
            tracing::warn!(error = %crate::chain(&error), gate.id = %gate.id, "a decision could not be sent again");
            return Ok(());
        }
    }
    Ok(())
}
