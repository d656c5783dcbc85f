//! States in the words that people read, the same as in the browser.

use nats::event::{State, ToolOutcome, Verdict};

use super::clock::Clock;
use super::view::{
    GateState, GateView, HostState, HostView, LimitView, SentView, SessionView, Word,
};
use super::visible::one_line;

/// How a session stands, with since when or why.
pub(super) fn session_state(session: &SessionView, clock: &Clock) -> String {
    let words = match (&session.state, session.waiting_since) {
        (Word::Known(State::Waiting), Some(since)) => {
            format!("Waiting for you since {}", clock.moment(since))
        }
        (Word::Known(State::Waiting), None) => "Waiting for you".to_owned(),
        (Word::Known(State::Queued), _) => session.queue.as_ref().map_or_else(
            || "Queued".to_owned(),
            |queue| format!("Queued, {} of {}", queue.position, queue.length),
        ),
        (Word::Known(State::Starting), _) => "Starting".to_owned(),
        (Word::Known(State::Idle), _) => "Idle".to_owned(),
        (Word::Known(State::Working), _) => "Working".to_owned(),
        (Word::Known(State::Asleep), _) => "Asleep".to_owned(),
        (Word::Known(State::Lost), _) => "Host silent".to_owned(),
        (Word::Known(State::Ended), _) => "Ended".to_owned(),
        (Word::New(word), _) => one_line(word),
    };
    match &session.state_reason {
        Some(reason) => format!("{words}: {}", one_line(reason)),
        None => words,
    }
}

/// The state's own word, for scripts.
pub(super) const fn state_word(state: State) -> &'static str {
    match state {
        State::Queued => "queued",
        State::Starting => "starting",
        State::Idle => "idle",
        State::Working => "working",
        State::Waiting => "waiting",
        State::Asleep => "asleep",
        State::Lost => "lost",
        State::Ended => "ended",
    }
}

/// Those that need somebody first; the smaller, the earlier.
pub(super) const fn urgency(state: &Word<State>) -> u8 {
    match state {
        Word::Known(State::Waiting) => 0,
        Word::Known(State::Lost) => 1,
        Word::Known(State::Working | State::Starting | State::Queued) | Word::New(_) => 2,
        Word::Known(State::Idle) => 3,
        Word::Known(State::Asleep) => 4,
        Word::Known(State::Ended) => 5,
    }
}

/// How a gate stands, and how far its decision has come.
pub(super) fn gate_state(gate: &GateView, clock: &Clock) -> String {
    match (&gate.state, &gate.decision) {
        (Word::Known(GateState::Pending), _) => {
            format!("Waiting for you since {}", clock.moment(gate.opened_at))
        }
        (Word::Known(GateState::Decided), Some(decision)) => {
            let verdict = verdict(decision.verdict);
            let who = one_line(&decision.by_name);
            format!(
                "{verdict} by {who} at {}; {}",
                clock.moment(decision.at),
                receipt(gate, clock)
            )
        }
        (Word::Known(GateState::Decided), None) => format!("Decided; {}", receipt(gate, clock)),
        (Word::Known(GateState::Withdrawn), _) => match &gate.withdrawn_reason {
            Some(reason) => format!("Withdrawn: {}", one_line(reason)),
            None => "Withdrawn".to_owned(),
        },
        (Word::New(word), _) => one_line(word),
    }
}

pub(super) const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "Allowed",
        Verdict::Deny => "Denied",
        Verdict::Answer => "Answered",
    }
}

pub(super) const fn outcome(outcome: ToolOutcome) -> &'static str {
    match outcome {
        ToolOutcome::Succeeded => "succeeded",
        ToolOutcome::Failed => "failed",
        ToolOutcome::Denied => "was denied",
        ToolOutcome::Interrupted => "was interrupted",
        ToolOutcome::Unknown => "may have run: its agent was gone before it could say",
        ToolOutcome::Other => "ended",
    }
}

fn receipt(gate: &GateView, clock: &Clock) -> String {
    let receipts = &gate.receipts;
    match (
        receipts.finished_at,
        receipts.released_at,
        receipts.delivered_at,
    ) {
        (Some(at), _, _) => {
            let came_to = receipts.outcome.map_or("ended", outcome);
            format!("the tool {came_to} at {}", clock.moment(at))
        }
        (None, Some(_), _) => "the agent was told; the tool has not reported back".to_owned(),
        (None, None, Some(_)) => {
            "delivered to the host; the agent has not been told yet".to_owned()
        }
        (None, None, None) => "recorded; the host has not taken it yet".to_owned(),
    }
}

/// That a host is silent and since when; none while it is heard of or nobody can say.
pub(super) fn silence(host: &HostView, clock: &Clock) -> Option<String> {
    let name = one_line(&host.host);
    match (&host.state, host.heard_at) {
        (Word::Known(HostState::Silent), Some(heard)) => Some(format!(
            "{name} has not been heard for {}",
            clock.ago(heard)
        )),
        (Word::Known(HostState::Silent), None) => Some(format!("{name} is silent")),
        (Word::Known(HostState::Online | HostState::Unknown) | Word::New(_), _) => None,
    }
}

/// Until when a usage limit stands, and what happens then.
pub(super) fn limit(limit: &LimitView, clock: &Clock) -> String {
    let message = one_line(&limit.message);
    match (limit.resets_at, limit.resumes) {
        (None, _) => format!("Usage limit, nobody said until when: {message}"),
        (Some(at), true) => format!(
            "Usage limit until {}, and goes on by itself then: {message}",
            clock.moment(at)
        ),
        (Some(at), false) => format!(
            "Usage limit until {}, and waits for you then: {message}",
            clock.moment(at)
        ),
    }
}

/// How far a message has come that its host has not taken.
pub(super) fn undelivered(message: &SentView, silence: Option<&str>, clock: &Clock) -> String {
    let by = message
        .by_name
        .as_deref()
        .map(|name| format!(" of {}", one_line(name)))
        .unwrap_or_default();
    let at = clock.moment(message.at);
    match silence {
        Some(silence) => format!("Message{by}: accepted at {at}; {silence}"),
        None => format!("Message{by}: accepted at {at}; on its way to the host"),
    }
}
