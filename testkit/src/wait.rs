//! Waiting for a condition, with a bound and the last state seen.
//!
//! Tests never sleep for a while and hope: they say what they wait for. Knows nothing of what
//! is waited for; the probe tells, in words, what it saw when it was not there yet.

use std::panic::Location;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

/// Short enough not to be felt in a test, long enough not to be the load that is measured.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Calls `probe` until it gives `Ok`, and panics when `bound` has passed without one.
///
/// `what` completes "waited 5s for …"; the text of `Err` says what was there instead.
///
/// ```no_run
/// # async fn example(file: std::path::PathBuf) {
/// use std::time::Duration;
/// let text = testkit::wait::until("the file", Duration::from_secs(5), async || {
///     std::fs::read_to_string(&file).map_err(|error| error.to_string())
/// })
/// .await;
/// # }
/// ```
#[track_caller]
pub fn until<T, P>(what: &str, bound: Duration, probe: P) -> impl Future<Output = T>
where
    P: AsyncFnMut() -> Result<T, String>,
{
    poll(what, bound, probe, Location::caller())
}

async fn poll<T, P>(what: &str, bound: Duration, mut probe: P, caller: &Location<'_>) -> T
where
    P: AsyncFnMut() -> Result<T, String>,
{
    let deadline = Instant::now() + bound;
    let mut pause = FIRST_PAUSE;
    let mut last_seen = None;
    loop {
        // A probe that hangs must not outlive the bound either.
        match timeout_at(deadline, probe()).await {
            Ok(Ok(value)) => return value,
            Ok(Err(seen)) => last_seen = Some(seen),
            Err(_elapsed) => break,
        }
        if Instant::now() >= deadline {
            break;
        }
        sleep_until(deadline.min(Instant::now() + pause)).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
    let last_seen = last_seen
        .as_deref()
        .unwrap_or("nothing: the first look did not return");
    panic!("{caller}: waited {bound:?} for {what}; last seen: {last_seen}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_value_of_the_first_success_is_returned() {
        let mut looks = 0;
        let value = until("the third look", Duration::from_secs(1), async || {
            looks += 1;
            if looks == 3 {
                Ok("there")
            } else {
                Err(format!("look {looks}"))
            }
        })
        .await;
        assert_eq!((value, looks), ("there", 3));
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "waited 2s for the tide; last seen: low water")]
    async fn a_bound_that_runs_out_tells_what_was_seen_last() {
        until("the tide", Duration::from_secs(2), async || {
            Err::<(), _>("low water".to_owned())
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "the first look did not return")]
    async fn a_probe_that_hangs_is_bounded_too() {
        until("nothing", Duration::from_secs(2), async || {
            std::future::pending::<()>().await;
            Ok(())
        })
        .await;
    }
}
