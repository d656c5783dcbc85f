//! One event in a line or a few, as a log that a person reads.

use nats::Envelope;
use nats::event::{BlockKind, Event, GateKind, ToolOutcome, TurnOutcome};
use serde_json::Value;

use crate::client::clock::Clock;
use crate::client::visible::{one_line, shortened, visible};
use crate::client::words;

/// Of a tool's output the end is what tells how it went.
const OUTPUT_LINES_MAX: usize = 12;

/// Where continued lines begin: under the words, beside the time.
const INDENT: &str = "          ";

/// The lines of an event; none for what only machines look for.
pub(super) fn lines(event: &Value, clock: &Clock) -> Option<String> {
    let Ok(envelope) = serde_json::from_value::<Envelope>(event.clone()) else {
        return Some(format!(
            "{INDENT}an event that this version does not understand"
        ));
    };
    let words = match envelope.event() {
        Some(event) => words(event)?,
        None => envelope.body.tag().to_owned(),
    };
    let time = clock.second(envelope.at);
    let text = visible(&words);
    Some(format!(
        "{time}  {}",
        text.replace('\n', &format!("\n{INDENT}"))
    ))
}

fn words(event: &Event) -> Option<String> {
    Some(match event {
        Event::SessionOpened(opened) => {
            format!(
                "opened in {} on {}, from {}",
                opened.worktree,
                opened.branch,
                shortened(&opened.base, 12)
            )
        }
        Event::SessionState(state) => match &state.reason {
            Some(reason) => format!("{}: {reason}", words::state_word(state.state)),
            None => return None,
        },
        Event::SessionEnded(ended) => format!("ended: {}", ended.reason),
        Event::AgentReady(ready) => {
            let version = ready
                .version
                .as_deref()
                .map(|version| format!(" {version}"));
            let model = ready.model.as_deref().map(|model| format!(" with {model}"));
            format!(
                "{}{} is ready{}",
                ready.agent,
                version.unwrap_or_default(),
                model.unwrap_or_default()
            )
        }
        Event::AgentExited(exited) if exited.expected => return None,
        Event::AgentExited(exited) => format!("the agent is gone: {}", exited.reason),
        Event::AgentRetrying(retrying) => format!(
            "the model's endpoint failed ({}); try {} of {}",
            one_line(&retrying.error),
            retrying.attempt,
            retrying.attempts_max
        ),
        // A call that may run has a gate, which says it better.
        Event::TurnStarted(_)
        | Event::MessageDelivered(_)
        | Event::ToolRequested(_)
        | Event::ToolReleased(_) => return None,
        Event::TurnFinished(finished) => {
            let outcome = match finished.outcome {
                TurnOutcome::Completed | TurnOutcome::Other => "turn finished",
                TurnOutcome::Interrupted => "turn interrupted",
                TurnOutcome::Failed => "turn failed",
                TurnOutcome::Cut => "turn ended early: the answer may be cut short",
            };
            let seconds = finished.duration_ms as f64 / 1000.0;
            let error = finished
                .error
                .as_deref()
                .map(|error| format!(": {error}"))
                .unwrap_or_default();
            let hint = if finished.can_continue {
                "\nhint: `flotilla session send ID continue` goes on from there"
            } else {
                ""
            };
            format!(
                "{outcome} after {seconds:.1} s, ${:.2}{error}{hint}",
                finished.cost_usd
            )
        }
        Event::MessageUser(message) => format!("> {}", message.text),
        Event::MessageAssistant(message) => match message.kind {
            BlockKind::Text => message.text.trim_end().to_owned(),
            BlockKind::Thinking | BlockKind::Other => return None,
        },
        Event::ToolFinished(finished) => {
            let outcome = words::outcome(finished.outcome);
            match (finished.outcome, tail(&finished.output)) {
                (ToolOutcome::Denied, _) => return None,
                (_, output) if output.is_empty() => format!("the tool {outcome}"),
                (_, output) => format!("the tool {outcome}\n{output}"),
            }
        }
        Event::GateOpened(opened) => {
            let wants = match opened.kind {
                GateKind::Tool => "waits for you",
                GateKind::Question => "asks you",
                GateKind::Plan => "shows you a plan",
            };
            format!("{wants}: {} (gate {})", opened.summary, opened.gate.short())
        }
        Event::GateDecided(decided) => {
            let decision = &decided.decision;
            let reason = decision
                .reason
                .as_deref()
                .map(|reason| format!(": {reason}"))
                .unwrap_or_default();
            format!(
                "{} by {}{reason}",
                words::verdict(decision.verdict),
                decision.by_name
            )
        }
        Event::GateWithdrawn(withdrawn) => format!("no longer asks: {}", withdrawn.reason),
        Event::GateReminded(reminded) => format!(
            "still waits for you, since {} min (gate {})",
            reminded.waited_minutes,
            reminded.gate.short()
        ),
        Event::LimitReached(limit) => {
            let until = limit
                .resets_at
                .map(|at| format!("; it is over at {at}"))
                .unwrap_or_default();
            let then = if limit.resumes {
                "\nhint: it goes on by itself then; `flotilla session resume-at-reset off ID` keeps it from that"
            } else {
                "\nhint: `flotilla session send ID continue` goes on once it is over"
            };
            format!("usage limit: {}{until}{then}", limit.message)
        }
        Event::LimitChanged(changed) => if changed.resumes {
            "goes on by itself once the usage limit is over"
        } else {
            "does not go on by itself once the usage limit is over"
        }
        .to_owned(),
        Event::FileChanged(changed) => format!(
            "changed {} +{} −{}",
            changed.path, changed.added, changed.removed
        ),
        Event::Warning(warning) => match &warning.hint {
            Some(hint) => format!("warning: {}\nhint: {hint}", warning.message),
            None => format!("warning: {}", warning.message),
        },
    })
}

fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.trim_end().lines().collect();
    match lines.len().checked_sub(OUTPUT_LINES_MAX) {
        Some(left @ 1..) => format!("… {left} lines before\n{}", lines[left..].join("\n")),
        _ => lines.join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(kind: &str, data: Value) -> Option<String> {
        let event = json!({ "v": 1, "id": "evt_0192f3a0000070008000000000000001", "session": "ses_0192f3a0000070008000000000001a2b",
            "host": "vps-1", "epoch": 1, "seq": 7, "at": "2026-11-20T14:02:03Z", "type": kind, "data": data });
        lines(&event, &Clock::at("2026-11-20T14:30:00Z"))
    }

    #[test]
    fn an_agents_words_stand_beside_the_time_and_hide_nothing() {
        let message =
            json!({ "message": "m", "block": 0, "kind": "text", "text": "one\ntwo\u{1b}[8m\n" });
        assert_eq!(
            said("message.assistant", message).as_deref(),
            Some("14:02:03  one\n          two\\u{1b}[8m")
        );
    }

    #[test]
    fn an_event_of_a_newer_build_is_shown_by_its_name() {
        assert_eq!(
            said("session.teleported", json!({})).as_deref(),
            Some("14:02:03  session.teleported")
        );
    }

    #[test]
    fn of_long_output_the_end_is_shown_with_a_mark() {
        let output = (1..=20)
            .map(|line| line.to_string())
            .collect::<Vec<_>>()
            .join("\n");
        let finished =
            json!({ "tool_use": "t", "outcome": "failed", "output": output, "output_bytes": 50 });
        let said = said("tool.finished", finished).expect("a failure is said");
        assert!(
            said.starts_with(
                "14:02:03  the tool failed\n          … 8 lines before\n          9\n"
            ),
            "{said}"
        );
    }
}
