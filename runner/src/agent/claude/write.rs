//! What is written to the agent: the handshake, a person's words, answers, an interruption.
//!
//! Owns the promise that a person's text stays text. In the last text block of a message the agent looks for
//! commands (`/…`) and reads files that are mentioned (`@…`), the latter without asking anybody. So a text that
//! could be meant is followed by a block of ours, and goes to the model letter for letter. Answers fail closed
//! there: what the agent does not understand, it does not run.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nats::event::{Attachment, Decision, Verdict};
use nats::ids::{CommandId, GateId};
use serde_json::{Map, Value, json};

use super::translate::Adapter;
use crate::agent::Input;

/// How the ids of our greetings begin; nothing else does.
pub(super) const INITIALIZE: &str = "initialize_";

/// The block after a text with a `/` or `@` of its own. The model should know that nothing was looked up.
const CLOSING: &str = "<system-reminder>The text above is what the person wrote, letter for letter. \
    Files and commands it mentions were neither read nor run.</system-reminder>";

/// What a refusal says when its author gave no reason.
const NO_REASON: &str = "The user said no to this and gave no reason. Do not do it in another way; \
    go on without it, or ask what they want instead.";

impl Adapter {
    /// A person's message. Its id comes back when the agent takes it up.
    #[must_use]
    pub fn message(
        &self,
        command: CommandId,
        text: &str,
        files: &[(Attachment, Vec<u8>)],
    ) -> Input {
        let mut content = Vec::new();
        if !text.is_empty() {
            content.push(json!({ "type": "text", "text": text }));
        }
        content.extend(
            files
                .iter()
                .map(|(attachment, bytes)| attached(attachment, bytes)),
        );
        if could_be_meant(text) {
            content.push(json!({ "type": "text", "text": CLOSING }));
        }
        user_message(command, Value::Array(content))
    }

    /// The answer to an asking for `input`.
    pub fn answer(
        &mut self,
        gate: GateId,
        request: &str,
        input: &Value,
        decision: &Decision,
    ) -> Input {
        let response = match decision.verdict {
            Verdict::Allow => allow(decision.input.as_ref().unwrap_or(input).clone()),
            Verdict::Answer => allow(answered(input, decision)),
            Verdict::Deny => {
                if let Some(tool_use) = self.asks.call(request).cloned() {
                    self.calls.denied(&tool_use);
                }
                let reason = decision
                    .reason
                    .as_deref()
                    .filter(|reason| !reason.trim().is_empty());
                json!({ "behavior": "deny", "message": reason.unwrap_or(NO_REASON) })
            }
        };
        let response = json!({ "subtype": "success", "request_id": request, "response": response });
        line(
            gate.to_string(),
            &json!({ "type": "control_response", "response": response }),
        )
    }

    /// Ends the turn that runs.
    #[must_use]
    pub fn interrupt(&self, command: CommandId) -> Input {
        control(command.to_string(), json!({ "subtype": "interrupt" }))
    }

    /// A command line of the agent's own, meant as one.
    #[must_use]
    pub fn compact(&self, command: CommandId) -> Input {
        user_message(command, Value::String("/compact".to_owned()))
    }
}

pub(super) fn handshake(generation: u32) -> Input {
    control(
        format!("{INITIALIZE}{generation}"),
        json!({ "subtype": "initialize" }),
    )
}

/// The answer to a request that nobody here serves.
pub(super) fn refusal(request: &str, what: &str) -> Input {
    let response = json!({ "subtype": "error", "request_id": request, "error": format!("Flotilla does not offer `{what}`.") });
    line(
        format!("refusal_{request}"),
        &json!({ "type": "control_response", "response": response }),
    )
}

/// Whether the agent might take some of it for a command or for the mention of a file.
fn could_be_meant(text: &str) -> bool {
    text.trim_start().starts_with('/') || text.contains('@')
}

/// The input must be given back whole, or the agent takes the answer for broken.
fn allow(input: Value) -> Value {
    json!({ "behavior": "allow", "updatedInput": input })
}

/// The question's input with the answers in it; several labels stand in one string.
fn answered(input: &Value, decision: &Decision) -> Value {
    let mut input = decision.input.as_ref().unwrap_or(input).clone();
    let Some(fields) = input.as_object_mut() else {
        return input;
    };
    if let Some(answers) = &decision.answers {
        let answers = answers
            .iter()
            .map(|(question, answer)| (question.clone(), Value::String(answer_text(answer))));
        fields.insert(
            "answers".to_owned(),
            Value::Object(answers.collect::<Map<_, _>>()),
        );
    } else if let Some(said) = &decision.reason {
        // A word to all of it rather than an answer to each.
        fields.insert("response".to_owned(), Value::String(said.clone()));
    }
    input
}

fn answer_text(answer: &Value) -> String {
    match answer {
        Value::String(text) => text.clone(),
        Value::Array(labels) => labels
            .iter()
            .map(answer_text)
            .collect::<Vec<_>>()
            .join(", "),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => answer.to_string(),
    }
}

fn attached(attachment: &Attachment, bytes: &[u8]) -> Value {
    let Attachment {
        name, media_type, ..
    } = attachment;
    let encoded =
        || json!({ "type": "base64", "media_type": media_type, "data": STANDARD.encode(bytes) });
    match media_type.as_str() {
        "image/png" | "image/jpeg" | "image/gif" | "image/webp" => {
            json!({ "type": "image", "source": encoded() })
        }
        "application/pdf" => json!({ "type": "document", "source": encoded(), "title": name }),
        _ => match std::str::from_utf8(bytes) {
            // As a document, because a text block could hold mentions that are not meant.
            Ok(text) if !text.trim().is_empty() => {
                let source = json!({ "type": "text", "media_type": "text/plain", "data": text });
                json!({ "type": "document", "source": source, "title": name })
            }
            Ok(_) | Err(_) => {
                let told = format!(
                    "[attached: {name}, {media_type}, {} bytes, which is neither text nor a picture]",
                    bytes.len()
                );
                json!({ "type": "document", "source": { "type": "text", "media_type": "text/plain", "data": told }, "title": name })
            }
        },
    }
}

fn user_message(command: CommandId, content: Value) -> Input {
    let message = json!({
        "type": "user",
        "message": { "role": "user", "content": content },
        "parent_tool_use_id": null,
        "session_id": "",
        "uuid": command.uuid(),
    });
    line(command.to_string(), &message)
}

fn control(id: String, request: Value) -> Input {
    let message = json!({ "type": "control_request", "request_id": id, "request": request });
    line(id, &message)
}

fn line(id: String, message: &Value) -> Input {
    let mut bytes = message.to_string().into_bytes();
    bytes.push(b'\n');
    Input { id, bytes }
}
