//! Whether a fault goes on, and how eagerly one looks meanwhile. Knows nothing of what is looked at.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

/// What a busy machine and a pause of the supervisor may take, once all is calm.
const BOUND: Duration = Duration::from_secs(90);
const PAUSE_FIRST: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(100);
/// A fault that goes on for longer than this is waited out with less haste: looking costs more than being away.
const HASTE: Duration = Duration::from_secs(3);
const PAUSE_OF_A_LONG_FAULT: Duration = Duration::from_secs(1);

/// Since when nothing has gone wrong, unless something does.
pub(super) struct Calm {
    since: watch::Sender<Option<Instant>>,
}

impl Calm {
    pub(super) fn new() -> Self {
        Self {
            since: watch::Sender::new(Some(Instant::now())),
        }
    }

    /// A fault strikes, and may go on.
    pub(super) fn ends(&self) {
        self.since.send_replace(None);
    }

    /// The fault is over.
    pub(super) fn returns(&self) {
        self.since.send_replace(Some(Instant::now()));
    }

    /// Calls `probe` until it gives `Ok`, and panics when that takes too long although no fault goes on.
    pub(super) async fn until<T>(
        &self,
        what: &str,
        mut probe: impl AsyncFnMut() -> Result<T, String>,
    ) -> T {
        let started = Instant::now();
        let mut pause = PAUSE_FIRST;
        let mut last_seen = "nothing: the first look did not return".to_owned();
        loop {
            // A probe that hangs is bounded too, but not while what it waits for is held.
            let seen = tokio::select! {
                seen = probe() => Some(seen),
                () = self.too_long(started) => None,
            };
            match seen {
                Some(Ok(value)) => return value,
                Some(Err(seen)) => last_seen = seen,
                None => panic!("waited {BOUND:?} for {what}; last seen: {last_seen}"),
            }
            self.rest(started, &mut pause).await;
        }
    }

    /// Returns when it has been calm for too long since `started`.
    async fn too_long(&self, started: Instant) {
        let mut seen = self.since.subscribe();
        loop {
            let since = *seen.borrow_and_update();
            let Some(since) = since else {
                if seen.changed().await.is_err() {
                    return;
                }
                continue;
            };
            tokio::select! {
                () = sleep_until(started.max(since) + BOUND) => return,
                changed = seen.changed() => if changed.is_err() { return },
            }
        }
    }

    async fn rest(&self, started: Instant, pause: &mut Duration) {
        let mut seen = self.since.subscribe();
        let calm = seen.borrow_and_update().is_some();
        let longest = if calm || started.elapsed() < HASTE {
            PAUSE_MAX
        } else {
            PAUSE_OF_A_LONG_FAULT
        };
        *pause = (*pause * 2).min(longest);
        tokio::select! {
            () = sleep(*pause) => {}
            // Whatever just came back is looked at right away.
            _ = seen.changed() => *pause = PAUSE_FIRST,
        }
    }
}
