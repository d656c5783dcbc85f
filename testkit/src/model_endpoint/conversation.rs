//! Reading a request: what was asked, how far the script has been played, what the tools said.
//!
//! Everything is read from the request itself, because an agent sends the whole conversation each
//! time. So the play goes on where it was after a restart, a resume, a fork or a retry, and
//! subagents do not mix. Knows nothing of what a step means.

use serde_json::Value;

use super::json::{self, blocks, role};
use super::script;

/// What an agent writes in the user's name, or how it begins: the mark of an interruption, the word
/// to go on after a resume, and after a stream that broke.
const INTERRUPTED: &str = "[Request interrupted";
const RESUMED: &str = "Continue from where you left off.";
const BROKEN_OFF: &str = "Your response above was cut off mid-stream.";

/// One request, understood.
#[derive(Debug, PartialEq)]
pub(super) struct Conversation {
    /// The newest thing that the user asked for.
    pub(super) prompt: String,
    /// Message and block that it stands in; tells two prompts with the same words apart.
    pub(super) prompt_position: (usize, usize),
    /// How many messages with tool calls have been played for this prompt.
    pub(super) played: usize,
    /// Whether the agent asks for the rest of a message whose stream broke.
    pub(super) broken_off: bool,
    /// What the newest tools answered since the prompt.
    pub(super) tool_results: Vec<String>,
    /// Where the agent works, if it says so.
    pub(super) folder: Option<String>,
    /// Where the agent wants a plan to be written, if it says so.
    pub(super) plan_file: Option<String>,
}

impl Conversation {
    pub(super) fn read(body: &Value) -> Self {
        let messages = json::array(&body["messages"]);
        let (prompt_position, prompt) = messages
            .iter()
            .enumerate()
            .rev()
            .find_map(|(position, message)| {
                prompt_in(message).map(|(block, prompt)| ((position, block), prompt))
            })
            .unwrap_or_default();
        let since = messages.get(prompt_position.0..).unwrap_or_default();
        let last_results = since
            .iter()
            .rev()
            .map(tool_results)
            .find(|results| !results.is_empty());
        Self {
            prompt,
            prompt_position,
            played: since
                .iter()
                .flat_map(blocks)
                .filter_map(segment_of)
                .map(|segment| segment + 1)
                .max()
                .unwrap_or(0),
            broken_off: messages
                .iter()
                .rfind(|message| role(message) == "user")
                .is_some_and(asks_for_the_rest),
            tool_results: last_results.unwrap_or_default(),
            folder: told_between(body, "Primary working directory: ", "\n"),
            plan_file: told_between(body, "create your plan at ", " using the Write tool").or_else(
                || Some(told_between(body, "plan file already exists at ", ".md")? + ".md"),
            ),
        }
    }
}

/// The id of a tool call: it holds the number of the message that it is in, to be found again later.
pub(super) fn tool_id(segment: usize) -> String {
    format!("toolu_{}_{segment}", uuid::Uuid::now_v7().simple())
}

fn segment_of(block: &Value) -> Option<usize> {
    if block["type"] != "tool_use" {
        return None;
    }
    block["id"]
        .as_str()?
        .strip_prefix("toolu_")?
        .rsplit_once('_')?
        .1
        .parse()
        .ok()
}

/// What a message asks for, if it was written by the user, and in which of its blocks.
///
/// An agent puts words of its own into user messages: reminders, notes beside a tool's result, the
/// mark of an interruption. None of them is a prompt, or the play would stop at them. And it
/// puts a prompt that failed and the one after it into one message: the last one counts.
fn prompt_in(message: &Value) -> Option<(usize, String)> {
    if role(message) != "user" {
        return None;
    }
    let texts: Vec<(usize, String)> = blocks(message)
        .iter()
        .enumerate()
        .filter_map(|(position, block)| {
            Some((
                position,
                without_reminders(json::text(block)?).trim().to_owned(),
            ))
        })
        .collect();
    let interrupted = texts.iter().any(|(_, text)| text.starts_with(INTERRUPTED));
    let beside_a_result = !interrupted && !tool_results(message).is_empty();
    texts.into_iter().rfind(|(_, text)| {
        !is_the_agents_own(text) && (!beside_a_result || !script::parse(text).is_empty())
    })
}

fn is_the_agents_own(text: &str) -> bool {
    text.is_empty()
        || [INTERRUPTED, RESUMED, BROKEN_OFF]
            .iter()
            .any(|mark| text.starts_with(mark))
}

fn asks_for_the_rest(message: &Value) -> bool {
    blocks(message)
        .iter()
        .filter_map(json::text)
        .any(|text| text.starts_with(BROKEN_OFF))
}

fn tool_results(message: &Value) -> Vec<String> {
    let blocks = blocks(message);
    blocks
        .iter()
        .filter(|block| block["type"] == "tool_result")
        .map(|block| json::flat_text(&block["content"]))
        .collect()
}

fn without_reminders(text: &str) -> String {
    const OPEN: &str = "<system-reminder>";
    const CLOSE: &str = "</system-reminder>";
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, reminder)) = rest.split_once(OPEN) {
        kept.push_str(before);
        rest = reminder.split_once(CLOSE).map_or("", |(_, after)| after);
    }
    kept + rest
}

/// The newest text between two markers anywhere in what the agent told the model.
fn told_between(body: &Value, before: &str, after: &str) -> Option<String> {
    let mut found = None;
    json::each_text(body, &mut |text| {
        if let Some((_, rest)) = text.rsplit_once(before) {
            let told = rest.split_once(after).map_or(rest, |(told, _)| told).trim();
            if !told.is_empty() {
                found = Some(told.to_owned());
            }
        }
    });
    found
}

#[cfg(test)]
mod tests;
