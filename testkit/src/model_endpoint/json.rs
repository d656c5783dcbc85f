//! Small readings of the Messages API's JSON, where most things may be a string or a list.

use std::slice;

use serde_json::Value;

pub(super) fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn role(message: &Value) -> &str {
    message["role"].as_str().unwrap_or_default()
}

/// The content of a message as blocks; a bare string is given as it is.
pub(super) fn blocks(message: &Value) -> &[Value] {
    match &message["content"] {
        content @ Value::String(_) => slice::from_ref(content),
        content => array(content),
    }
}

/// The text of a text block or of a bare string.
pub(super) fn text(block: &Value) -> Option<&str> {
    block.as_str().or_else(|| {
        if block["type"] == "text" {
            block["text"].as_str()
        } else {
            None
        }
    })
}

/// The text of a string, or of all text blocks in a list.
pub(super) fn flat_text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        content => array(content)
            .iter()
            .filter_map(text)
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

/// Calls `visit` with every string in `value`, in the order of the document.
pub(super) fn each_text(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, visit)),
        Value::Object(fields) => fields.values().for_each(|field| each_text(field, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
