//! What a tab gets when it begins to watch, read of one moment.

use nats::ids::SessionId;
use rusqlite::{Connection, Result};

use crate::api::GateState;
use crate::http::events::TAIL;
use crate::projection::{StoredGate, StoredSession, query};

/// A tab that is further behind than this starts anew with a tail.
const BEHIND_MAX: usize = 1000;
/// Sessions and gates of the first `fleet` frame.
const FLEET_ACTIVE_MAX: usize = 2000;
const FLEET_ENDED_MAX: usize = 100;
const FLEET_GATES_MAX: usize = 1000;

/// What a tab that subscribes to a session gets.
pub(super) struct Tail {
    pub session: StoredSession,
    pub events: query::Events,
    /// It does not go on from where the tab is.
    pub reset: bool,
    pub gates: Vec<StoredGate>,
}

/// All of one moment: a row that counts a gate which the list lacks would be two truths.
pub(super) fn tail(
    connection: &Connection,
    session: SessionId,
    after: Option<u64>,
) -> Result<Option<Tail>> {
    let moment = connection.unchecked_transaction()?;
    let Some(stored) = query::session(&moment, session)? else {
        return Ok(None);
    };
    let follows = match after {
        Some(after) => {
            let events = query::events_after(&moment, session, after, BEHIND_MAX)?;
            let whole = events.last().unwrap_or(after) >= stored.last_seq();
            whole.then_some(events)
        }
        None => None,
    };
    let reset = follows.is_none();
    let events = match follows {
        Some(events) => events,
        None => query::events_before(&moment, session, u64::MAX, TAIL)?,
    };
    let filter = query::GateFilter {
        state: Some(GateState::Pending),
        session: Some(session),
        limit: FLEET_GATES_MAX,
        ..query::GateFilter::default()
    };
    let gates = query::gates(&moment, &filter)?;
    Ok(Some(Tail {
        session: stored,
        events,
        reset,
        gates,
    }))
}

pub(super) type Fleet = (Vec<StoredSession>, Vec<StoredGate>);

/// Everything that goes on, the last of what has ended, what waits, and what is decided and not delivered.
pub(super) fn fleet(connection: &Connection) -> Result<Fleet> {
    let moment = connection.unchecked_transaction()?;
    let list = |ended: bool, limit: usize| {
        let filter = query::SessionFilter {
            ended: Some(ended),
            limit,
            ..query::SessionFilter::default()
        };
        query::sessions(&moment, &filter)
    };
    let mut sessions = list(false, FLEET_ACTIVE_MAX)?;
    sessions.extend(list(true, FLEET_ENDED_MAX)?);
    let filter = query::GateFilter {
        state: Some(GateState::Pending),
        limit: FLEET_GATES_MAX,
        ..query::GateFilter::default()
    };
    let mut gates = query::gates(&moment, &filter)?;
    // Decided, and still on the way to its host: the page says how far it is.
    gates.extend(query::unsettled_gates(&moment)?);
    Ok((sessions, gates))
}
