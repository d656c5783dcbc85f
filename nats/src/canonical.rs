//! The one spelling of a JSON value that both ends hash.
//!
//! A person decides on what they see; the hash of it travels with the decision and is checked again on the
//! host, so an input that changed in between is refused.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Sha-256 in hex of the value's canonical JSON: keys sorted by code point, no white space.
#[must_use]
pub fn input_hash(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => {
            // Sorted here and not left to the map: another crate may ask serde_json to keep insertion order.
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            out.push('{');
            for (index, name) in names.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::String(name.clone()).to_string());
                out.push(':');
                write(&fields[name], out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&value.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_keys_does_not_change_the_hash_and_a_value_does() {
        let one: Value = serde_json::from_str(r#"{"b":[1,{"y":2,"x":1}],"a":"é"}"#).unwrap();
        let two: Value = serde_json::from_str(r#"{"a":"é","b":[1,{"x":1,"y":2}]}"#).unwrap();
        assert_eq!(input_hash(&one), input_hash(&two));
        assert_ne!(
            input_hash(&one),
            input_hash(&json!({"a": "e", "b": [1, {"x": 1, "y": 2}]}))
        );
    }
}
