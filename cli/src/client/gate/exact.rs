//! Exactly what would run: a command, a diff, a question, a plan, else the input as it is.
//!
//! Nothing of the input is left out: what has no form of its own stands below it by name.

use nats::event::GateKind;
use serde_json::Value;

use crate::client::view::GateView;
use crate::client::visible::visible;

pub(super) fn body(gate: &GateView) -> String {
    if gate.kind.is(&GateKind::Question) && !gate.questions.is_empty() {
        return questions(gate);
    }
    if let (true, Some(plan)) = (gate.kind.is(&GateKind::Plan), &gate.plan) {
        return indented("  ", plan);
    }
    let text = |name: &str| gate.input[name].as_str();
    let (shown, names): (String, &[&str]) = match (text("command"), text("file_path")) {
        (Some(command), _) => (command_lines(command), &["command"]),
        (None, Some(path)) => match (text("content"), text("old_string"), text("new_string")) {
            (Some(content), _, _) => (
                format!("  {}\n{}", visible(path), indented("  + ", content)),
                &["file_path", "content"],
            ),
            (None, Some(old), Some(new)) => (
                format!(
                    "  {}\n{}\n{}",
                    visible(path),
                    indented("  - ", old),
                    indented("  + ", new)
                ),
                &["file_path", "old_string", "new_string"],
            ),
            _ => (format!("  {}", visible(path)), &["file_path"]),
        },
        (None, None) => return indented("  ", &pretty(&gate.input)),
    };
    match rest(&gate.input, names) {
        Some(rest) => format!("{shown}\n\n{rest}"),
        None => shown,
    }
}

fn command_lines(command: &str) -> String {
    let lines = indented("    ", command);
    format!("  $ {}", lines.trim_start_matches("    "))
}

fn questions(gate: &GateView) -> String {
    let mut lines = Vec::new();
    for choice in &gate.questions {
        lines.push(indented("  ", &choice.question));
        for option in &choice.options {
            let description = if option.description.is_empty() {
                String::new()
            } else {
                format!(": {}", option.description)
            };
            lines.push(indented(
                "    ",
                &format!("- {}{description}", option.label),
            ));
        }
        let how = if choice.several {
            "one or several of these, separated by commas, or your own words"
        } else {
            "one of these, or your own words"
        };
        lines.push(format!("    ({how})"));
    }
    lines.join("\n")
}

/// The fields that have not been shown yet.
fn rest(input: &Value, shown: &[&str]) -> Option<String> {
    let fields = input
        .as_object()?
        .iter()
        .filter(|(name, _)| !shown.contains(&name.as_str()));
    let lines: Vec<String> = fields
        .map(|(name, value)| indented("  ", &format!("{name}: {}", pretty(value))))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}

fn indented(mark: &str, text: &str) -> String {
    let text = visible(text);
    // `lines` would drop the last one of a text that ends in two new lines.
    let body = text.strip_suffix('\n').unwrap_or(&text);
    body.split('\n')
        .map(|line| format!("{mark}{line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(kind: &str, input: Value, more: Value) -> String {
        let mut gate = json!({
            "id": "gate_0192f3a0000070008000000000005e6f", "session": "ses_0192f3a0000070008000000000001a2b", "kind": kind, "tool": "T",
            "input": input, "input_hash": "h", "summary": "s", "opened_at": "2026-11-20T14:02:00Z", "state": "pending",
        });
        if let (Some(gate), Value::Object(more)) = (gate.as_object_mut(), more) {
            gate.extend(more);
        }
        body(&serde_json::from_value(gate).expect("a gate"))
    }

    #[test]
    fn a_write_and_an_edit_are_diffs_and_nothing_is_left_out() {
        assert_eq!(
            shown(
                "tool",
                json!({ "file_path": "/w/a", "content": "one\n\ntwo\n" }),
                json!({})
            ),
            "  /w/a\n  + one\n  + \n  + two"
        );
        assert_eq!(
            shown(
                "tool",
                json!({ "file_path": "/w/a", "old_string": "x", "new_string": "y", "replace_all": true }),
                json!({})
            ),
            "  /w/a\n  - x\n  + y\n\n  replace_all: true"
        );
        assert_eq!(
            shown(
                "tool",
                json!({ "command": "ls", "run_in_background": true }),
                json!({})
            ),
            "  $ ls\n\n  run_in_background: true"
        );
        assert_eq!(
            shown("tool", json!({ "url": "http://x" }), json!({})),
            "  {\n    \"url\": \"http://x\"\n  }"
        );
    }

    #[test]
    fn a_command_cannot_hide_its_end() {
        assert_eq!(
            shown(
                "tool",
                json!({ "command": "rm -rf /\r\u{1b}[2Kls" }),
                json!({})
            ),
            "  $ rm -rf /\\u{d}\\u{1b}[2Kls"
        );
    }

    #[test]
    fn a_question_shows_its_choices_and_a_plan_its_text() {
        let questions = json!({ "questions": [{ "question": "Which DB?", "options": [{ "label": "SQLite", "description": "embedded" }, { "label": "Postgres" }] }] });
        assert_eq!(
            shown("question", json!({}), questions),
            "  Which DB?\n    - SQLite: embedded\n    - Postgres\n    (one of these, or your own words)"
        );
        assert_eq!(
            shown("plan", json!({}), json!({ "plan": "# Plan\n1. this" })),
            "  # Plan\n  1. this"
        );
    }
}
