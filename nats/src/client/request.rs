//! One question and its answer, without waiting for what cannot come.
//!
//! An answer is lost with the connection it was asked on, and a stream whose leader is being chosen answers nobody for
//! some seconds. Knows which failures leave no trace on the server, so that asking again is right.

use std::time::Duration;

use async_nats::{HeaderMap, Message, Request, RequestErrorKind};
use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout};

use super::connect::{Client, REQUEST_TIMEOUT};

/// A stream whose leader died has another one after 4 to 9 seconds.
const LEADER_WITHIN: Duration = Duration::from_secs(15);
/// Between two attempts.
pub(super) const PAUSE: Duration = Duration::from_millis(200);

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// There is no server. Nothing was sent.
    Away,
    /// There is a server, and nobody behind it who takes the request now. Nothing was done.
    Nobody,
    /// Whether it was done is unknown.
    Lost,
    /// It never left.
    TooBig(String),
}

impl Client {
    /// Asks once. Bounded, and over as soon as the connection is.
    pub(super) async fn ask(
        &self,
        subject: &str,
        headers: HeaderMap,
        payload: Bytes,
    ) -> Result<Message, Unanswered> {
        let mut connection = self.connection();
        // Asked without a server, it would wait in a buffer and leave after its caller has given it up.
        let up = timeout(REQUEST_TIMEOUT, connection.wait_for(|state| state.up)).await;
        let Ok(Ok(generation)) = up.map(|up| up.map(|state| state.generation)) else {
            return Err(Unanswered::Away);
        };
        let request = Request::new()
            .payload(payload)
            .headers(headers)
            .timeout(Some(REQUEST_TIMEOUT));
        tokio::select! {
            answer = self.nats.send_request(subject.to_owned(), request) => answer.map_err(|error| match error.kind() {
                RequestErrorKind::NoResponders => Unanswered::Nobody,
                RequestErrorKind::MaxPayloadExceeded => Unanswered::TooBig(error.to_string()),
                RequestErrorKind::TimedOut | RequestErrorKind::InvalidSubject | RequestErrorKind::Other => {
                    Unanswered::Lost
                }
            }),
            _ = connection.wait_for(|state| !state.up || state.generation != generation) => Err(Unanswered::Lost),
        }
    }
}

/// How long one and the same thing is tried. A loop asks it, and not a closure that is handed on: the futures of such
/// closures may not move between threads, and requests are made from tasks that do.
pub(super) struct Patience {
    until: Instant,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self {
            until: Instant::now() + LEADER_WITHIN,
        }
    }

    /// Whether to try again. Pauses before it says yes.
    pub(super) async fn again(&self) -> bool {
        if Instant::now() + PAUSE >= self.until {
            return false;
        }
        sleep(PAUSE).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::DecisionRecord;
    use crate::client::Records;
    use crate::command::Order;
    use crate::ids::HostName;
    use crate::seal::CommandKey;

    /// Compiled and never called: whoever asks may do so from a task of any thread.
    #[expect(dead_code, reason = "that it compiles is the test")]
    fn every_request_may_move(
        client: &Client,
        host: &HostName,
        order: &Order,
        key: &CommandKey,
        decision: &DecisionRecord,
        records: &Records<String>,
    ) {
        fn may_move(_: impl Send) {}
        may_move(client.ensure_host(host, 1));
        may_move(client.send_command(key, order));
        may_move(client.record_decision(decision));
        may_move(client.put_object(host, "name", b""));
        may_move(records.update("key", &"value".to_owned(), 1));
        may_move(records.get_existing("key"));
    }

    #[tokio::test(start_paused = true)]
    async fn patience_outlasts_the_choice_of_a_leader_and_ends() {
        let (patience, before) = (Patience::new(), Instant::now());
        let mut tries = 0;
        while patience.again().await {
            tries += 1;
        }
        assert!(tries > 45, "{tries}");
        assert!(before.elapsed() <= LEADER_WITHIN);
    }
}
