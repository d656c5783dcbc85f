//! How fast a connection that is gone is tried again.
//!
//! Doubling, with chance in it, so that a fleet does not knock all at once. A server that lets in and closes at once, as it
//! does with a token that has just ended, must not be knocked at without a pause; and whoever is not let in at all says so
//! once, and knocks more slowly.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::RngExt as _;
use tokio::time::Instant;

/// The longest pause between two attempts. A fleet whose server restarts comes back within this.
const PAUSE_MAX_MS: u64 = 2_000;
/// The same for who is turned away: nothing but a new token will help.
const TURNED_AWAY_PAUSE_MAX_MS: u64 = 10_000;
/// A connection that lasted less was none.
const BRIEF: Duration = Duration::from_secs(3);
const DOUBLINGS_MAX: usize = 10;

/// Cheap to clone; all clones see the same connection.
#[derive(Clone, Default)]
pub(super) struct Reconnect(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    connected_at: Option<Instant>,
    /// Connections in a row that ended at once.
    brief: usize,
    /// The server said that the token had ended, of the last connection.
    expired: bool,
    /// Since the last connection that lasted.
    turned_away: bool,
}

impl Reconnect {
    pub(super) fn connected(&self) {
        self.seen().connected_at = Some(Instant::now());
    }

    pub(super) fn disconnected(&self) {
        let mut seen = self.seen();
        let Some(connected_at) = seen.connected_at.take() else {
            return;
        };
        let expired = std::mem::take(&mut seen.expired);
        if connected_at.elapsed() >= BRIEF {
            seen.brief = 0;
            seen.turned_away = false;
            return;
        }
        seen.brief += 1;
        if expired {
            seen.turn_away();
        }
    }

    /// The token has ended with which this connection was made. One that was renewed meanwhile serves for the next.
    pub(super) fn expired(&self) {
        self.seen().expired = true;
    }

    /// The server knows us and does not let us in. Said once.
    pub(super) fn turned_away(&self) {
        self.seen().turn_away();
    }

    pub(super) fn pause_before(&self, attempt: usize) -> Duration {
        let seen = self.seen();
        let doublings = attempt.max(seen.brief).min(DOUBLINGS_MAX);
        let pause_max = if seen.turned_away {
            TURNED_AWAY_PAUSE_MAX_MS
        } else {
            PAUSE_MAX_MS
        };
        let bound = 20_u64.saturating_mul(1 << doublings).min(pause_max);
        Duration::from_millis(rand::rng().random_range(bound / 2..=bound))
    }

    /// Nothing is done between taking and leaving it that could break off.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn turn_away(&mut self) {
        if !self.turned_away {
            self.turned_away = true;
            tracing::error!(
                "NATS does not let this program in: what it signs in with has expired, was revoked, or is of another \
                 fleet. It knocks every few seconds, and takes what its file holds then"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_lets_in_and_closes_at_once_is_knocked_at_ever_more_slowly() {
        let reconnect = Reconnect::default();
        let longest =
            |reconnect: &Reconnect| (0..200).map(|_| reconnect.pause_before(1)).max().unwrap();
        let mut before = Duration::ZERO;
        for _ in 0..6 {
            reconnect.connected();
            reconnect.disconnected();
            let pause = longest(&reconnect);
            assert!(pause >= before, "{pause:?} after {before:?}");
            before = pause;
        }
        assert!(before > Duration::from_millis(500), "{before:?}");
        reconnect.connected();
        tokio::time::advance(BRIEF).await;
        reconnect.disconnected();
        assert!(longest(&reconnect) <= Duration::from_millis(40));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_turned_away_waits_longer_and_still_knocks() {
        let reconnect = Reconnect::default();
        assert!(reconnect.pause_before(50) <= Duration::from_secs(2));
        reconnect.turned_away();
        let pause = reconnect.pause_before(50);
        assert!(
            (Duration::from_secs(5)..=Duration::from_secs(10)).contains(&pause),
            "{pause:?}"
        );
    }
}
