//! `session wait`: returns when a session has come as far as it is waited for.
//!
//! A message that is in the log and not yet taken up counts as work: `send` and then `wait` never sees the
//! idleness from before the message.

use std::collections::BTreeSet;
use std::time::Duration;

use nats::Envelope;
use nats::event::{Event, State};
use nats::ids::{CommandId, SessionId};
use serde_json::Value;
use tokio::time::Instant;

use super::follow::{Follow, Followed};
use crate::client::arguments::Awaited;
use crate::client::exit::Error;
use crate::client::output::Output;
use crate::client::server::Server;
use crate::client::view::{SessionView, Word};
use crate::client::words;

/// How many earlier events are looked through for messages that nobody has taken up.
const LOOK_BACK: u64 = 200;

/// The row is read again so often: queued and silent are no events.
const ROW_AGAIN: Duration = Duration::from_secs(5);

/// So long an idle session may leave a message untouched before it counts as idle all the same.
const UNTOUCHED_MAX: Duration = Duration::from_secs(20);

pub(super) async fn run(
    session: SessionId,
    awaited: Option<Awaited>,
    timeout: Option<u64>,
    server: &Server,
    output: &mut Output,
) -> Result<(), Error> {
    let waiting = until(session, awaited, server, output);
    let row = match timeout {
        None => waiting.await?,
        Some(seconds) => tokio::time::timeout(Duration::from_secs(seconds), waiting)
            .await
            .map_err(|_| Error::TimedOut(format!("not there after {seconds} s")))??,
    };
    let view: SessionView = server.view(&row)?;
    output.answer(&row, |_| match &view.state {
        Word::Known(state) => words::state_word(*state).to_owned(),
        Word::New(word) => word.clone(),
    })
}

async fn until(
    session: SessionId,
    awaited: Option<Awaited>,
    server: &Server,
    output: &mut Output,
) -> Result<Value, Error> {
    let id = session.to_string();
    let path = ["api", "sessions", &id];
    let mut row = server.get(&path, &[]).await?;
    let mut view: SessionView = server.view(&row)?;
    let mut follow = Follow::from(server, session, view.last_seq.saturating_sub(LOOK_BACK)).await?;
    let mut log = Log::default();
    let mut idle_since = Instant::now();
    let mut told = String::new();
    loop {
        if log.seq >= view.last_seq {
            let untouched = log.has_untouched() && idle_since.elapsed() < UNTOUCHED_MAX;
            match reached(&view.state, awaited, untouched) {
                Reached::Yes => return Ok(row),
                Reached::Never => {
                    let state = words::session_state(&view, &output.clock);
                    return Err(Error::TooLate(format!(
                        "it will not come to that any more. {state}"
                    )));
                }
                Reached::NotYet => {}
            }
            let state = words::session_state(&view, &output.clock);
            if told != state {
                output.say(&state);
                told = state;
            }
        }
        let followed = tokio::time::timeout(ROW_AGAIN, follow.next()).await;
        if let Ok(followed) = followed {
            match followed? {
                Followed::Event(event) => log.take(event),
                Followed::Lost => output.say("The connection is gone; reconnecting."),
            }
            if log.seq < view.last_seq {
                continue;
            }
        }
        row = match server.get(&path, &[]).await {
            Err(Error::Unreachable { .. }) => continue,
            row => row?,
        };
        view = server.view(&row)?;
        if !is_idle(&view.state) {
            idle_since = Instant::now();
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Reached {
    Yes,
    NotYet,
    /// It has ended, and was to become something else.
    Never,
}

fn reached(state: &Word<State>, awaited: Option<Awaited>, untouched: bool) -> Reached {
    let idle = is_idle(state) && !untouched;
    let waiting = state.is(&State::Waiting);
    let ended = state.is(&State::Ended);
    let there = match awaited {
        None => idle || waiting || ended,
        Some(Awaited::Idle) => idle,
        Some(Awaited::Waiting) => waiting,
        Some(Awaited::Ended) => ended,
    };
    match (there, ended) {
        (true, _) => Reached::Yes,
        (false, true) => Reached::Never,
        (false, false) => Reached::NotYet,
    }
}

/// Asleep is idle with its agent stopped; the next message wakes it.
fn is_idle(state: &Word<State>) -> bool {
    state.is(&State::Idle) || state.is(&State::Asleep)
}

/// What the log says beyond the row.
#[derive(Default)]
struct Log {
    seq: u64,
    untouched: BTreeSet<CommandId>,
}

impl Log {
    fn take(&mut self, event: Value) {
        self.seq = event["seq"].as_u64().unwrap_or(self.seq);
        // An event of a newer build says nothing about messages that this one could understand.
        let Ok(envelope) = serde_json::from_value::<Envelope>(event) else {
            return;
        };
        match envelope.event() {
            Some(Event::MessageUser(message)) => {
                self.untouched.insert(message.command);
            }
            Some(Event::MessageDelivered(message)) => {
                self.untouched.remove(&message.command);
            }
            _ => {}
        }
    }

    fn has_untouched(&self) -> bool {
        !self.untouched.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_state_is_reached_is_not_yet_or_never_will_be() {
        use Awaited::{Ended, Idle, Waiting};
        let known = Word::Known;
        let table = [
            (State::Idle, None, Reached::Yes),
            (State::Waiting, None, Reached::Yes),
            (State::Ended, None, Reached::Yes),
            (State::Working, None, Reached::NotYet),
            (State::Queued, None, Reached::NotYet),
            (State::Asleep, Some(Idle), Reached::Yes),
            (State::Waiting, Some(Idle), Reached::NotYet),
            (State::Ended, Some(Idle), Reached::Never),
            (State::Ended, Some(Waiting), Reached::Never),
            (State::Idle, Some(Ended), Reached::NotYet),
            (State::Lost, Some(Ended), Reached::NotYet),
        ];
        for (state, awaited, expected) in table {
            assert_eq!(
                reached(&known(state), awaited, false),
                expected,
                "{state:?} {awaited:?}"
            );
        }
        assert_eq!(
            reached(&Word::New("dreaming".to_owned()), None, false),
            Reached::NotYet
        );
    }

    #[test]
    fn idleness_before_a_message_is_taken_up_does_not_count() {
        let event = |seq: u64, kind: &str, data: Value| {
            json!({ "v": 1, "id": "evt_0192f3a0000070008000000000000001", "session": "ses_0192f3a0000070008000000000001a2b",
                "host": "vps-1", "epoch": 1, "seq": seq, "at": "2026-11-20T14:02:03Z", "type": kind, "data": data })
        };
        let command = "cmd_0192f3a0000070008000000000000001";
        let mut log = Log::default();
        log.take(event(
            1,
            "message.user",
            json!({ "command": command, "text": "go", "delivery": "queue" }),
        ));
        assert_eq!(
            reached(&Word::Known(State::Idle), None, log.has_untouched()),
            Reached::NotYet
        );
        log.take(event(
            2,
            "message.delivered",
            json!({ "command": command, "turn": "turn_0192f3a0000070008000000000000001" }),
        ));
        assert_eq!(
            reached(&Word::Known(State::Idle), None, log.has_untouched()),
            Reached::Yes
        );
    }
}
