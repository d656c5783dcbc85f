//! Hosts that have refused a start: nothing is placed there until their runner shows a free slot.
//!
//! A picture of a host that is a moment too old would send it the same session again and again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nats::Timestamp;
use nats::ids::HostName;

use crate::hosts::{Host, View};
use crate::placement::Loads;

/// Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Full {
    /// With the heartbeat that had come before the refusal.
    hosts: Arc<Mutex<HashMap<HostName, Option<Timestamp>>>>,
}

impl Full {
    /// This host has refused.
    pub fn note(&self, host: &HostName, view: &View) {
        let heard = view.hosts.get(host).and_then(|host| host.heard_at);
        self.lock().insert(host.clone(), heard);
    }

    /// Tells a picture of all loads which hosts are full whatever else it says.
    pub(super) fn mark(&self, view: &View, loads: &mut Loads) {
        let mut known = self.lock();
        known.retain(|name, heard| {
            view.hosts
                .get(name)
                .is_none_or(|host| host.heard_at == *heard || !shows_room(host))
        });
        for host in known.keys() {
            loads.say_full(host);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<HostName, Option<Timestamp>>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shows_room(host: &Host) -> bool {
    host.presence.as_ref().is_some_and(|presence| {
        let slots = presence.slots.unwrap_or_default();
        let at_work = presence.sessions.saturating_sub(slots.resting);
        at_work + slots.waiting < host.record.slots
    })
}
