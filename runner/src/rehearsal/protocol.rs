//! What is said to an agent of this dialect, as types. A line that is no JSON object is the only error: the
//! real agent dies of it too. What is merely unknown is passed over or refused by name.

use serde_json::Value;

/// One line from stdin.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Incoming {
    Initialize {
        request: String,
    },
    Interrupt {
        request: String,
    },
    SetMode {
        request: String,
        mode: String,
    },
    /// A wish that this agent does not know.
    Unsupported {
        request: String,
        subtype: String,
    },
    /// What was said of one of our own requests.
    Answer {
        request: String,
        answer: Answer,
    },
    Message(Message),
    Ignored,
}

/// A person's prompt.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Message {
    /// The sender's id of it, to know it again.
    pub uuid: Option<String>,
    /// As it came, to be replayed.
    pub message: Value,
    pub text: String,
}

/// The answer to a permission. Whatever is not clearly a yes is a no.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Allow { input: Value },
    Deny { message: String, interrupt: bool },
}

/// The line is not a JSON object.
#[derive(Debug, thiserror::Error)]
#[error("Error parsing streaming input line: {line}")]
pub(super) struct NotJson {
    line: String,
    #[source]
    source: serde_json::Error,
}

impl Incoming {
    pub(super) fn read(line: &[u8]) -> Result<Self, NotJson> {
        let value: Value = serde_json::from_slice(line).map_err(|source| NotJson {
            line: String::from_utf8_lossy(line).chars().take(200).collect(),
            source,
        })?;
        Ok(match text(&value, "type").as_str() {
            "user" => Self::Message(Message::read(&value)),
            "control_request" => Self::request(text(&value, "request_id"), &value["request"]),
            "control_response" => {
                let response = &value["response"];
                Self::Answer {
                    request: text(response, "request_id"),
                    answer: Answer::read(response),
                }
            }
            _ => Self::Ignored,
        })
    }

    fn request(request: String, body: &Value) -> Self {
        match text(body, "subtype").as_str() {
            "initialize" => Self::Initialize { request },
            "interrupt" => Self::Interrupt { request },
            "set_permission_mode" => Self::SetMode {
                request,
                mode: text(body, "mode"),
            },
            subtype => Self::Unsupported {
                request,
                subtype: subtype.to_owned(),
            },
        }
    }
}

impl Message {
    fn read(value: &Value) -> Self {
        let message = value["message"].clone();
        let text = match &message["content"] {
            Value::String(text) => text.clone(),
            Value::Array(blocks) => {
                let texts = blocks.iter().filter_map(|block| block["text"].as_str());
                texts.collect::<Vec<_>>().join("\n")
            }
            _ => String::new(),
        };
        let uuid = value["uuid"].as_str().map(str::to_owned);
        Self {
            uuid,
            message,
            text,
        }
    }
}

impl Answer {
    fn read(response: &Value) -> Self {
        let failed = |why: &str| Self::Deny {
            message: format!("Tool permission request failed: {why}"),
            interrupt: false,
        };
        if response["subtype"] != "success" {
            return failed(&format!("Error: {}", text(response, "error")));
        }
        let body = &response["response"];
        match (
            body["behavior"].as_str(),
            &body["updatedInput"],
            body["message"].as_str(),
        ) {
            (Some("allow"), input @ Value::Object(_), _) => Self::Allow {
                input: input.clone(),
            },
            (Some("deny"), _, Some(message)) => Self::Deny {
                message: message.to_owned(),
                interrupt: body["interrupt"] == true,
            },
            (Some("allow"), _, _) => failed("an allow needs its updatedInput"),
            _ => failed("the answer is neither an allow nor a deny with a message"),
        }
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Incoming {
        Incoming::read(value.to_string().as_bytes()).expect("an object")
    }

    #[test]
    fn whatever_is_not_clearly_a_yes_is_a_no() {
        let responses = [
            json!({ "subtype": "success", "response": { "behavior": "allow" } }),
            json!({ "subtype": "success", "response": { "behavior": "maybe" } }),
            json!({ "subtype": "success", "response": { "behavior": "deny" } }),
            json!({ "subtype": "error", "error": "boom" }),
            json!({}),
        ];
        for response in responses {
            assert!(
                matches!(Answer::read(&response), Answer::Deny { .. }),
                "{response}"
            );
        }
    }

    #[test]
    fn a_message_may_come_in_blocks() {
        let line = json!({ "type": "user", "uuid": "u1", "message": { "role": "user", "content": [
            { "type": "text", "text": "say one" }, { "type": "image", "source": {} }, { "type": "text", "text": "say two" }
        ] } });
        let Incoming::Message(message) = read(&line) else {
            unreachable!("a user line is a message")
        };
        assert_eq!(
            (message.uuid.as_deref(), message.text.as_str()),
            (Some("u1"), "say one\nsay two")
        );
    }

    #[test]
    fn an_unknown_type_is_passed_over_and_a_line_that_is_no_json_is_not() {
        assert_eq!(read(&json!({ "type": "news" })), Incoming::Ignored);
        assert!(Incoming::read(b"hello").is_err());
    }
}
