//! Finishes what another coordinator, or this one before it was restarted, has begun.
//!
//! A recorded decision is sent until the session's log answers it; a session's start is sent until its first event.
//! Both are the same command each time, so nothing happens twice. Activated by a timer, given no input, and
//! idempotent: any number of coordinators may do it at once.
//!
//! Deliberately reads no clock. What is unfinished carries the time of whoever began it, and clocks of machines are
//! hours apart now and then; what counts is that it was unfinished at the last look as well.

use std::collections::BTreeSet;

use nats::ids::{GateId, SessionId};
use tokio::time::{Duration, MissedTickBehavior, interval};

use crate::dispatch::Dispatch;
use crate::projection::{Error, Reader, StoredSession, query};

/// Between two looks, and so the least time that is left to the one who began it.
const EVERY: Duration = Duration::from_secs(2);

/// Looks for ever.
pub async fn run(dispatch: Dispatch, reader: Reader) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = Unfinished::default();
    loop {
        tick.tick().await;
        match look(&dispatch, &reader, &seen).await {
            Ok(unfinished) => seen = unfinished,
            Err(error) => {
                tracing::error!(error = %crate::chain(&error), "what is unfinished could not be looked up");
            }
        }
    }
}

/// What a look has found.
#[derive(Default)]
struct Unfinished {
    gates: BTreeSet<GateId>,
    sessions: BTreeSet<SessionId>,
}

/// Sends what is unfinished and was so before; says all that is unfinished.
async fn look(
    dispatch: &Dispatch,
    reader: &Reader,
    before: &Unfinished,
) -> Result<Unfinished, Error> {
    let (gates, sessions) = reader
        .read(move |connection| {
            Ok((
                query::unsettled_gates(connection)?,
                query::sessions_not_begun(connection)?,
            ))
        })
        .await?;
    let now = Unfinished {
        gates: gates.iter().map(|gate| gate.id).collect(),
        sessions: sessions.iter().map(StoredSession::id).collect(),
    };
    // The start first: a decision of a session that has not begun does not exist.
    for session in sessions {
        if !before.sessions.contains(&session.id()) {
            continue;
        }
        if let Err(error) = dispatch.start(&session.record).await {
            tracing::warn!(error = %crate::chain(&error), session.id = %session.id(), "a session's start could not be sent again");
            return Ok(now);
        }
    }
    for gate in gates {
        let Some(record) = gate
            .facts
            .recorded
            .as_ref()
            .filter(|_| before.gates.contains(&gate.id))
        else {
            continue;
        };
        if let Err(error) = dispatch.decide(&gate.session.record, record).await {
            tracing::warn!(error = %crate::chain(&error), gate.id = %gate.id, "a decision could not be sent again");
            return Ok(now);
        }
    }
    Ok(now)
}
