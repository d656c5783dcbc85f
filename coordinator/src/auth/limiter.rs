//! How often a login may fail: a few times a minute for one address and one person.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

const FAILURES_MAX: u32 = 5;
const WINDOW: Duration = Duration::from_secs(60);
/// Bounds the memory that strangers can take; when it is full, all is forgotten at once.
const REMEMBERED_MAX: usize = 10_000;

#[derive(Clone, Default)]
pub struct Limiter {
    failures: Arc<Mutex<HashMap<(IpAddr, String), Failures>>>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    since: Instant,
}

impl Limiter {
    /// How long to wait, if it has failed too often.
    #[must_use]
    pub fn must_wait(&self, address: IpAddr, email: &str) -> Option<Duration> {
        let failures = *self.locked().get(&(address, email.to_owned()))?;
        let passed = failures.since.elapsed();
        (failures.count >= FAILURES_MAX && passed < WINDOW).then(|| WINDOW - passed)
    }

    pub fn failed(&self, address: IpAddr, email: &str) {
        let mut all = self.locked();
        if all.len() >= REMEMBERED_MAX {
            all.retain(|_, failures| failures.since.elapsed() < WINDOW);
            if all.len() >= REMEMBERED_MAX {
                all.clear();
            }
        }
        let fresh = Failures {
            count: 0,
            since: Instant::now(),
        };
        let failures = all.entry((address, email.to_owned())).or_insert(fresh);
        if failures.since.elapsed() >= WINDOW {
            *failures = fresh;
        }
        failures.count += 1;
    }

    pub fn succeeded(&self, address: IpAddr, email: &str) {
        self.locked().remove(&(address, email.to_owned()));
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<(IpAddr, String), Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn five_failures_close_the_door_for_a_minute_to_that_person_from_there() {
        let (limiter, here) = (Limiter::default(), IpAddr::from([192, 0, 2, 1]));
        for _ in 0..5 {
            assert_eq!(limiter.must_wait(here, "ada@example.org"), None);
            limiter.failed(here, "ada@example.org");
        }
        assert!(limiter.must_wait(here, "ada@example.org").is_some());
        assert_eq!(limiter.must_wait(here, "bob@example.org"), None);
        assert_eq!(
            limiter.must_wait(IpAddr::from([192, 0, 2, 2]), "ada@example.org"),
            None
        );
        tokio::time::advance(WINDOW).await;
        assert_eq!(limiter.must_wait(here, "ada@example.org"), None);
    }
}
