//! Reading a request: what was asked, how far the script has been played, what the tools said.
//!
//! Everything is read from the request itself, because an agent sends the whole conversation each
//! time. So the play goes on where it was after a restart, a resume, a fork or a retry, and
//! subagents do not mix. Knows nothing of what a step means.

use serde_json::Value;

use super::json::{self, blocks, role};
use super::{marks, script};

/// One request, understood.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Conversation {
    /// The newest thing that the user asked for.
    pub(super) prompt: String,
    /// Message and block that it stands in; tells two prompts with the same words apart.
    pub(super) prompt_position: (usize, usize),
    /// How many messages with tool calls have been played for this prompt.
    pub(super) played: usize,
    /// What the newest tools answered since the prompt.
    pub(super) tool_results: Vec<String>,
    /// What the user said meanwhile, unless it is a script: then it is the prompt.
    pub(super) steered: Vec<String>,
    /// Why the agent speaks though nobody asked: what a task in the background came to.
    pub(super) notice: Option<String>,
    /// Whether the agent asks for the rest of a message whose stream broke.
    pub(super) broken_off: bool,
    /// Where the agent works, if it says so.
    pub(super) folder: Option<String>,
    /// Where the agent wants a plan to be written, if it says so.
    pub(super) plan_file: Option<String>,
}

impl Conversation {
    pub(super) fn read(body: &Value) -> Self {
        let messages = json::array(&body["messages"]);
        let (prompt_position, prompt) = newest_prompt(messages).unwrap_or_default();
        let since = &messages[prompt_position.0.min(messages.len())..];
        let spoken = since
            .iter()
            .rposition(|message| role(message) == "assistant");
        let unanswered = &since[spoken.map_or(0, |position| position + 1)..];
        let last_results = since
            .iter()
            .rev()
            .map(tool_results)
            .find(|results| !results.is_empty());
        let is_answer = unanswered
            .iter()
            .any(|message| !tool_results(message).is_empty());
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
            tool_results: last_results.unwrap_or_default(),
            steered: texts(since)
                .filter_map(marks::steered)
                .map(str::to_owned)
                .collect(),
            notice: texts(unanswered)
                .filter_map(marks::notice)
                .last()
                .filter(|_| !is_answer)
                .map(str::to_owned),
            broken_off: texts(unanswered).any(marks::is_broken_off),
            folder: told(body, marks::folder),
            plan_file: told(body, marks::plan_file),
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

fn newest_prompt(messages: &[Value]) -> Option<((usize, usize), String)> {
    messages
        .iter()
        .enumerate()
        .rev()
        .find_map(|(position, message)| {
            let (block, prompt) = prompt_in(message)?;
            Some(((position, block), prompt))
        })
}

/// What a message asks for, and in which of its blocks.
///
/// The last one counts, because an agent puts a prompt that failed and the one after it into one
/// message. What stands beside a tool's result, or was said while a turn ran, is only a prompt
/// if it is a script.
fn prompt_in(message: &Value) -> Option<(usize, String)> {
    let by_the_user = role(message) == "user";
    let interrupted = texts([message]).any(marks::is_interruption);
    let within_a_turn = !interrupted && !tool_results(message).is_empty();
    let blocks = blocks(message).iter().enumerate().rev();
    let mut prompts = blocks.filter_map(|(position, block)| {
        let text = json::text(block)?;
        match marks::steered(text) {
            Some(steered) => is_script(steered).then(|| (position, steered.to_owned())),
            None if by_the_user => {
                let prompt = marks::without_the_agents_own(text)?;
                (!within_a_turn || is_script(&prompt)).then_some((position, prompt))
            }
            None => None,
        }
    });
    prompts.next()
}

fn is_script(text: &str) -> bool {
    !script::parse(text).is_empty()
}

fn tool_results(message: &Value) -> Vec<String> {
    let results = blocks(message)
        .iter()
        .filter(|block| block["type"] == "tool_result");
    results
        .map(|block| json::flat_text(&block["content"]))
        .collect()
}

/// The texts of all messages but the model's own.
fn texts<'a>(messages: impl IntoIterator<Item = &'a Value>) -> impl Iterator<Item = &'a str> {
    let others = messages
        .into_iter()
        .filter(|message| role(message) != "assistant");
    others.flat_map(blocks).filter_map(json::text)
}

/// The newest thing of a kind that the agent told the model, wherever it stands.
fn told(body: &Value, find: fn(&str) -> Option<&str>) -> Option<String> {
    let mut found = None;
    json::each_text(body, &mut |text| {
        found = find(text).map(str::to_owned).or_else(|| found.take())
    });
    found
}

#[cfg(test)]
mod tests;
