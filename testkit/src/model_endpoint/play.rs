//! What the model says next: a script, and how far it has been played, become one answer.
//!
//! A pure function. The steps up to the next tool call are one message, the tool's answer comes
//! with the next request, and so on; the last message quotes what the last tool said, so that a
//! test can see that a reason or an answer has reached the model.

use super::conversation::{Conversation, tool_id};
use super::message::{Part, Reply};
use super::script::{self, Call, Step};
use super::tools::tool;

/// A quotation longer than this is cut: a tool may have read a whole file.
const QUOTE_CHARACTERS_MAX: usize = 2_000;

/// `mishaps` is how many refusals and broken streams this very message has already met with.
pub(super) fn play(conversation: &Conversation, mishaps: usize) -> Reply {
    if let Some(notice) = &conversation.notice {
        return Reply::Message(vec![Part::text(&format!(
            "A task in the background reported: “{}”",
            quote(notice)
        ))]);
    }
    let segments = segments(
        script::parse(&conversation.prompt),
        conversation.plan_file.as_deref(),
    );
    let last = segments.len() - 1;
    let number = conversation.played.min(last);
    let mut parts = match perform(conversation, &segments[number], number, mishaps) {
        Ok(parts) => parts,
        Err(refusal) => return refusal,
    };
    if number == last {
        parts.extend(closing(conversation, &parts));
    }
    Reply::Message(parts)
}

/// Cuts the steps after each one that calls tools. What remains after the last call, perhaps nothing, is the last segment.
fn segments(steps: Vec<Step>, plan_file: Option<&str>) -> Vec<Vec<Step>> {
    let mut segments = vec![Vec::new()];
    for step in steps.into_iter().flat_map(|step| expand(step, plan_file)) {
        let calls = matches!(step, Step::Call(_) | Step::Together(_));
        segments.last_mut().expect("it starts with one").push(step);
        if calls {
            segments.push(Vec::new());
        }
    }
    segments
}

/// An agent that wants the plan in a file gets it there first, in a message of its own.
fn expand(step: Step, plan_file: Option<&str>) -> Vec<Step> {
    match (&step, plan_file) {
        (Step::Call(Call::Plan { text }), Some(file)) => {
            vec![
                Step::Call(Call::Write {
                    path: file.to_owned(),
                    text: text.clone(),
                }),
                step,
            ]
        }
        _ => vec![step],
    }
}

/// The parts of one message, or how it is refused.
fn perform(
    conversation: &Conversation,
    steps: &[Step],
    number: usize,
    mut mishaps: usize,
) -> Result<Vec<Part>, Reply> {
    let mut parts = Vec::new();
    let call = |call: &Call| {
        let (name, input) = tool(call, conversation.folder.as_deref());
        Part::Tool {
            id: tool_id(number),
            name,
            input,
        }
    };
    // Whether a mishap that may happen `times` times is still to happen.
    let mut is_due = |times: usize| {
        let due = mishaps < times;
        mishaps = mishaps.saturating_sub(times);
        due
    };
    for step in steps {
        match step {
            Step::Say(text) => parts.push(Part::text(text)),
            Step::Stream { words, apart } => {
                let pieces = (1..=*words).map(|word| format!("word-{word} ")).collect();
                parts.push(Part::Text {
                    pieces,
                    apart: *apart,
                });
            }
            Step::Stamps { count, apart } => parts.push(Part::Stamps {
                count: *count,
                apart: *apart,
            }),
            Step::Think(text) => parts.push(Part::Thinking(text.clone())),
            Step::Sleep(pause) => parts.push(Part::Pause(*pause)),
            Step::Call(one) => parts.push(call(one)),
            Step::Together(calls) => parts.extend(calls.iter().map(call)),
            Step::Refuse { status, times } => {
                if is_due(times.unwrap_or(usize::MAX)) {
                    return Err(Reply::Refuse { status: *status });
                }
            }
            Step::Limit { seconds } => {
                if is_due(1) {
                    return Err(Reply::Limit { seconds: *seconds });
                }
            }
            Step::Cut if is_due(1) => parts.push(Part::Cut),
            Step::CutAfter if is_due(1) => parts.push(Part::CutAfter),
            // The agent kept what came before the break, or forgot it and asks for all of it again.
            Step::Cut | Step::CutAfter if conversation.broken_off => parts.clear(),
            Step::Cut | Step::CutAfter => {}
        }
    }
    Ok(parts)
}

/// How the last message ends: with what was heard since the prompt, or with an echo when there is nothing else to say.
fn closing(conversation: &Conversation, parts: &[Part]) -> Option<Part> {
    let said_nothing = parts.iter().all(|part| matches!(part, Part::Pause(_)));
    let mut heard = Vec::new();
    if !conversation.tool_results.is_empty() {
        heard.push(format!(
            "The tools answered: “{}”",
            quote(&conversation.tool_results.join("\n"))
        ));
    }
    if !conversation.steered.is_empty() {
        heard.push(format!(
            "Meanwhile you said: “{}”",
            quote(&conversation.steered.join("\n"))
        ));
    }
    if heard.is_empty() && said_nothing {
        heard.push(format!(
            "You said: “{}”. I am a scripted model: give me lines like `say hello`, `run ls` or `write a.txt hello`.",
            quote(&conversation.prompt)
        ));
    }
    (!heard.is_empty()).then(|| Part::text(&heard.join("\n")))
}

fn quote(text: &str) -> String {
    let mut quoted: String = text.chars().take(QUOTE_CHARACTERS_MAX).collect();
    if quoted.len() < text.len() {
        quoted.push('…');
    }
    quoted
}

#[cfg(test)]
mod tests;
