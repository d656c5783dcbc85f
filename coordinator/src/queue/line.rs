//! The line as people are shown it, until the next look.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use nats::ids::SessionId;

use crate::placement::Plan;

/// Where one session stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub position: u32,
    /// How many wait.
    pub length: u32,
    /// In words, host by host.
    pub reason: String,
}

/// Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Line {
    places: Arc<RwLock<BTreeMap<SessionId, Place>>>,
}

impl Line {
    #[must_use]
    pub fn place(&self, session: SessionId) -> Option<Place> {
        let places = self.places.read().unwrap_or_else(PoisonError::into_inner);
        places.get(&session).cloned()
    }

    pub(super) fn is_empty(&self) -> bool {
        let places = self.places.read().unwrap_or_else(PoisonError::into_inner);
        places.is_empty()
    }

    /// Takes the line of a new plan; says whose place is another.
    pub(super) fn take(&self, plan: &Plan) -> BTreeSet<SessionId> {
        let length = u32::try_from(plan.waits.len()).unwrap_or(u32::MAX);
        let places: BTreeMap<SessionId, Place> = (1..)
            .zip(&plan.waits)
            .map(|(position, (session, waits))| {
                let reason = waits.words();
                let place = Place {
                    position,
                    length,
                    reason,
                };
                (*session, place)
            })
            .collect();
        let mut known = self.places.write().unwrap_or_else(PoisonError::into_inner);
        let changed = places
            .iter()
            .filter(|(session, place)| known.get(session) != Some(place))
            .map(|(session, _)| *session)
            .collect();
        *known = places;
        changed
    }
}
