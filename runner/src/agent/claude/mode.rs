//! Whether a conversation is in plan mode.
//!
//! A new process is told its mode on the command line and does not find it out by itself: one that is not told of
//! plan mode takes the plan for approved. So the transcript is asked. Knows nothing of command lines.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use super::transcript::{self, Line};

/// A mode of the agent's, of the two that a conversation can be brought into without a person's hand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Mode {
    #[default]
    Default,
    Plan,
}

impl Mode {
    /// The agent's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Plan => "plan",
        }
    }
}

/// The mode at the end of a transcript. One that cannot be read, or does not say, tells of nothing special.
pub(super) fn of(transcript: &Path) -> Mode {
    let said =
        transcript::open(transcript).and_then(|file| Ok(last_said(transcript::backwards(&file)?)));
    said.ok().flatten().unwrap_or_default()
}

/// The newest of: a prompt, which carries its mode; a reminder of plan mode or of its end; a call that changed it.
fn last_said(lines: impl Iterator<Item = io::Result<Vec<u8>>>) -> Option<Mode> {
    let mut succeeded = HashSet::new();
    for line in lines.map_while(Result::ok) {
        let said = match Line::read(&line) {
            Line::Attachment(entry) => match entry.attachment.kind.as_str() {
                "plan_mode" | "plan_mode_reentry" => Some(Mode::Plan),
                "plan_mode_exit" => Some(Mode::Default),
                _ => None,
            },
            Line::User(entry) => match entry.permission_mode.as_deref() {
                Some("plan") => Some(Mode::Plan),
                Some(_) => Some(Mode::Default),
                None => {
                    let results = entry.results().filter(|(_, failed)| !failed);
                    succeeded.extend(results.map(|(tool_use, _)| tool_use));
                    None
                }
            },
            Line::Assistant(entry) => {
                let mut done = entry
                    .calls()
                    .filter(|(tool_use, _)| succeeded.contains(tool_use));
                done.find_map(|(_, tool)| match tool.as_str() {
                    "EnterPlanMode" => Some(Mode::Plan),
                    "ExitPlanMode" => Some(Mode::Default),
                    _ => None,
                })
            }
            Line::Other => None,
        };
        if said.is_some() {
            return said;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn mode(lines: &[Value]) -> Mode {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.jsonl");
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, text).unwrap();
        of(&path)
    }

    fn prompt(mode: &str) -> Value {
        json!({"type": "user", "permissionMode": mode, "message": {"role": "user", "content": "hi"}})
    }

    fn call(tool: &str) -> Value {
        json!({"type": "assistant", "message": {"content": [{"type": "tool_use", "id": tool, "name": tool, "input": {}}]}})
    }

    fn result(tool: &str, failed: bool) -> Value {
        json!({"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": tool, "is_error": failed}]}})
    }

    fn reminder(kind: &str) -> Value {
        json!({"type": "attachment", "attachment": {"type": kind}})
    }

    #[test]
    fn the_last_word_counts() {
        assert_eq!(mode(&[]), Mode::Default);
        assert_eq!(mode(&[prompt("plan")]), Mode::Plan);
        assert_eq!(
            mode(&[prompt("plan"), prompt("acceptEdits")]),
            Mode::Default
        );
        assert_eq!(
            mode(&[prompt("default"), reminder("plan_mode")]),
            Mode::Plan
        );
        assert_eq!(
            mode(&[prompt("plan"), reminder("plan_mode_exit")]),
            Mode::Default
        );
        assert_eq!(mode(&[reminder("plan_mode"), reminder("date")]), Mode::Plan);
    }

    #[test]
    fn a_call_that_was_allowed_changes_it_and_one_that_was_not_does_not() {
        let entered = [
            prompt("default"),
            call("EnterPlanMode"),
            result("EnterPlanMode", false),
        ];
        assert_eq!(mode(&entered), Mode::Plan);
        assert_eq!(mode(&entered[..2]), Mode::Default);
        for (failed, then) in [(true, Mode::Plan), (false, Mode::Default)] {
            let left = [
                prompt("plan"),
                call("ExitPlanMode"),
                result("ExitPlanMode", failed),
            ];
            assert_eq!(mode(&left), then);
        }
    }

    #[test]
    fn a_subagents_mode_is_its_own() {
        let mut reminder = reminder("plan_mode");
        reminder["isSidechain"] = json!(true);
        assert_eq!(mode(&[prompt("default"), reminder]), Mode::Default);
    }
}
