//! Keeps at a request while nobody can take it: a coordinator that restarts is back in a moment, and one whose NATS is
//! away says so. Owns for how long and what is said meanwhile; does not know what is asked.

use reqwest::StatusCode;
use tokio::time::{Duration, Instant, sleep};

use super::exit::Error;
use crate::terminal;

/// As long as a coordinator itself keeps at what it was given.
const KEPT_FOR: Duration = Duration::from_secs(120);
/// Between two attempts, doubling.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Attempts until somebody takes it or refuses it, or patience ends. Only for what may be asked twice.
pub(super) async fn keep_at<T>(attempt: impl AsyncFn() -> Result<T, Error>) -> Result<T, Error> {
    let deadline = Instant::now() + KEPT_FOR;
    let mut pause = PAUSE_FIRST;
    let mut said = false;
    loop {
        let error = match attempt().await {
            Err(error) if is_passing(&error) => error,
            settled => return settled,
        };
        if Instant::now() + pause > deadline {
            return Err(error);
        }
        if !said {
            let seconds = KEPT_FOR.as_secs();
            // Past `Output`: whoever reads data or words of the verb itself is not disturbed by it.
            terminal::word(format_args!(
                "{}; waiting for it, for up to {seconds} s.",
                error.sentence().trim_end_matches('.')
            ));
            said = true;
        }
        sleep(pause).await;
        pause = PAUSE_MAX.min(pause * 2);
    }
}

/// Whether nobody has said no. A proxy's answer in place of a coordinator that restarts is none.
fn is_passing(error: &Error) -> bool {
    match error {
        Error::Unreachable { .. } => true,
        Error::Refused { status, .. } | Error::NotFlotilla { status, .. } => matches!(
            *status,
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
        ),
        Error::Usage { .. }
        | Error::NotSignedIn { .. }
        | Error::NotUnderstood { .. }
        | Error::Unproven { .. }
        | Error::TimedOut(_)
        | Error::TooLate(_)
        | Error::Local { .. }
        | Error::Output(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn refused(status: u16) -> Error {
        Error::Refused {
            status: StatusCode::from_u16(status).unwrap(),
            message: "no".to_owned(),
            hint: None,
        }
    }

    async fn asked(answers: Vec<Result<u8, Error>>) -> (Result<u8, Error>, usize) {
        let left = RefCell::new(answers.into_iter());
        let asked = RefCell::new(0);
        let attempt = async || {
            *asked.borrow_mut() += 1;
            left.borrow_mut()
                .next()
                .unwrap_or_else(|| Err(refused(503)))
        };
        let settled = keep_at(attempt).await;
        (settled, asked.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_could_take_is_asked_again_and_what_is_refused_is_not() {
        let (settled, times) = asked(vec![Err(refused(503)), Err(refused(502)), Ok(7)]).await;
        assert_eq!((settled.unwrap(), times), (7, 3));
        let (settled, times) = asked(vec![Err(refused(409)), Ok(7)]).await;
        assert!(matches!(settled, Err(Error::Refused { .. })));
        assert_eq!(times, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends_with_the_last_word_that_was_heard() {
        let started = Instant::now();
        let (settled, _) = asked(Vec::new()).await;
        assert!(matches!(settled, Err(Error::Refused { .. })));
        assert!(started.elapsed() <= KEPT_FOR && started.elapsed() > KEPT_FOR / 2);
    }
}
