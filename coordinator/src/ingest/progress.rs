//! How far the projection has come, and counters of what went in and what did not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use crate::projection::Dropped;

/// What `readyz` and the socket say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Everything that was stored when this process started is in the projection.
    pub caught_up: bool,
    /// Events that are stored and not yet in the projection, as the last one told.
    pub behind: u64,
    pub connected: bool,
}

/// Counters for `/metrics`. Cheap to clone.
#[derive(Clone)]
pub struct Gauges {
    counters: Arc<Counters>,
    pub progress: watch::Receiver<Progress>,
}

#[derive(Default)]
struct Counters {
    events: AtomicU64,
    malformed: AtomicU64,
    foreign: AtomicU64,
    double: AtomicU64,
    gap: AtomicU64,
}

impl Gauges {
    #[must_use]
    pub fn new(progress: watch::Receiver<Progress>) -> Self {
        Self {
            counters: Arc::default(),
            progress,
        }
    }

    pub fn ingested(&self, events: u64) {
        self.counters.events.fetch_add(events, Ordering::Relaxed);
    }

    pub fn dropped(&self, why: Dropped) {
        self.of(why).fetch_add(1, Ordering::Relaxed);
    }

    #[must_use]
    pub fn events(&self) -> u64 {
        self.counters.events.load(Ordering::Relaxed)
    }

    #[must_use]
    pub fn drops(&self, why: Dropped) -> u64 {
        self.of(why).load(Ordering::Relaxed)
    }

    fn of(&self, why: Dropped) -> &AtomicU64 {
        match why {
            Dropped::Malformed => &self.counters.malformed,
            Dropped::Foreign => &self.counters.foreign,
            Dropped::Double => &self.counters.double,
            Dropped::Gap => &self.counters.gap,
        }
    }
}
