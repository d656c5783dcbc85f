//! What one turn of Claude Code brought, line by line, and what tests ask of it.

use serde_json::Value;

/// Everything that one turn brought.
#[derive(Default)]
pub struct Turn {
    pub lines: Vec<Value>,
    pub deltas: Vec<String>,
    pub gates: Vec<Value>,
    pub result: Value,
}

impl Turn {
    pub fn take(&mut self, line: Value) {
        if let Some(text) = line["event"]["delta"]["text"].as_str() {
            self.deltas.push(text.to_owned());
        }
        if line["request"]["subtype"] == "can_use_tool" {
            self.gates.push(line["request"].clone());
        }
        if line["type"] == "result" {
            self.result = line.clone();
        }
        self.lines.push(line);
    }

    pub fn has_ended(&self) -> bool {
        !self.result.is_null()
    }

    /// Everything that was streamed so far, whether or not it was kept.
    pub fn streamed(&self) -> String {
        self.deltas.concat()
    }

    /// The names of the tools that were asked for, in order.
    pub fn tools(&self) -> Vec<&str> {
        self.gates
            .iter()
            .filter_map(|gate| gate["tool_name"].as_str())
            .collect()
    }

    pub fn lines_of<'a>(&'a self, subtype: &'a str) -> impl Iterator<Item = &'a Value> {
        self.lines
            .iter()
            .filter(move |line| line["subtype"] == subtype)
    }

    /// Every finished block of the model's messages.
    pub fn blocks(&self) -> impl Iterator<Item = &Value> {
        let messages = self.lines.iter().filter(|line| line["type"] == "assistant");
        messages
            .filter_map(|line| line["message"]["content"].as_array())
            .flatten()
    }

    /// The text of the finished blocks.
    pub fn text(&self) -> String {
        self.blocks()
            .filter_map(|block| block["text"].as_str())
            .collect()
    }

    /// Whether the turn's result holds `text`.
    pub fn says(&self, text: &str) -> bool {
        self.result["result"]
            .as_str()
            .is_some_and(|result| result.contains(text))
    }
}
