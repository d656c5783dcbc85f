//! Finishes what another coordinator, or this one before it was restarted, has begun.
//!
//! A recorded decision is sent until the session's log answers it; a session's start is sent until its first event.
//! Both are the same command each time, so nothing happens twice. Activated by a timer, given no input, and
//! idempotent: any number of coordinators may do it at once.
//!
//! Deliberately reads no clock. What is unfinished carries the time of whoever began it, and clocks of machines are
//! hours apart now and then; what counts is that it was unfinished at the last look as well.

use std::collections::BTreeSet;

use nats::command::SessionStop;
use nats::ids::{CommandId, GateId, SessionId};
use tokio::time::{Duration, MissedTickBehavior, interval};

use crate::dispatch::{self, Dispatch};
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
    let (gates, sessions, told_early) = reader
        .read(move |connection| {
            Ok((
                query::unsettled_gates(connection)?,
                query::sessions_not_begun(connection)?,
                query::sessions_told_early(connection)?,
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
    for session in told_early {
        if let Err(error) = finish_early(dispatch, reader, &session).await? {
            tracing::warn!(error = %crate::chain(&error), session.id = %session.id(), "what was said early could not be sent");
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

/// Brings what was said before the host had begun to the session, and forgets what that has taken.
async fn finish_early(
    dispatch: &Dispatch,
    reader: &Reader,
    session: &StoredSession,
) -> Result<Result<(), dispatch::Error>, Error> {
    let placement = &session.record.placement;
    let said: Vec<CommandId> = placement.waiting.iter().map(|it| it.id).collect();
    let taken = reader
        .read(move |connection| {
            let has = |id: &CommandId| query::has_receipt(connection, *id);
            said.into_iter()
                .map(|id| Ok(has(&id)?.then_some(id)))
                .collect::<rusqlite::Result<Vec<_>>>()
        })
        .await?;
    let taken: Vec<CommandId> = taken.into_iter().flatten().collect();
    Ok(async {
        if taken.len() < placement.waiting.len() {
            dispatch.send_early(&session.record).await?;
        } else if !taken.is_empty() {
            dispatch.forget_early(session.id(), &taken).await?;
        }
        if let Some(stopped) = &placement.stopped {
            let stop = SessionStop {}.into();
            dispatch
                .command(&session.record, stopped.command, stop, stopped.by)
                .await?;
        }
        Ok(())
    }
    .await)
}
