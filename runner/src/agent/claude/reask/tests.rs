use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use nats::ids::SessionId;

use super::*;
use crate::agent::AgentConfiguration;

struct Home {
    folder: tempfile::TempDir,
    session: SessionId,
}

impl Home {
    /// With a transcript of these lines, the last one as it stands.
    fn with(lines: &[Value]) -> Self {
        let home = Self {
            folder: tempfile::tempdir().unwrap(),
            session: SessionId::new(),
        };
        fs::create_dir_all(home.path().parent().unwrap()).unwrap();
        home.write(
            &lines
                .iter()
                .map(|line| format!("{line}\n"))
                .collect::<String>(),
        );
        home
    }

    fn path(&self) -> PathBuf {
        let name = format!("{}.jsonl", self.session.uuid());
        self.folder
            .path()
            .join(".claude/projects/-a-shop")
            .join(name)
    }

    fn write(&self, text: &str) {
        fs::write(self.path(), text).unwrap();
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    /// What was added to `before`.
    fn added(&self, before: &str) -> Value {
        serde_json::from_str(self.text().strip_prefix(before).unwrap()).unwrap()
    }

    fn ask_again(&self, tool_use: &str) -> Result<(), AskAgainError> {
        self.ask_again_of("Write", tool_use)
    }

    fn ask_again_of(&self, tool: &str, tool_use: &str) -> Result<(), AskAgainError> {
        let request = LaunchRequest {
            session: self.session,
            configuration: &AgentConfiguration::default(),
            program: Path::new("/opt/claude"),
            worktree: Path::new("/a/shop"),
            home: self.folder.path(),
            environment: &BTreeMap::new(),
        };
        let call = Unanswered {
            tool_use,
            tool,
            input: &json!({"file_path": "/a/shop/one.txt", "content": "one"}),
        };
        ask_again(&request, &call)
    }
}

fn prompt() -> Value {
    json!({"type": "user", "permissionMode": "default", "message": {"role": "user", "content": "go"}})
}

fn call(message: &str, tool_use: &str) -> Value {
    json!({
        "type": "assistant", "uuid": format!("line of {tool_use}"), "parentUuid": "p", "isSidechain": false,
        "message": {"id": message, "content": [{"type": "tool_use", "id": tool_use, "name": "Write", "input": {}}]},
        "userType": "external", "entrypoint": "flotilla", "cwd": "/a/shop", "sessionId": "s",
        "version": "2.1.329", "gitBranch": "HEAD", "effort": "medium",
    })
}

fn text(message: &str) -> Value {
    json!({"type": "assistant", "message": {"id": message, "content": [{"type": "text", "text": "so"}]}})
}

fn result(tool_use: &str) -> Value {
    json!({"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": tool_use, "content": "ok"}]}})
}

fn meta() -> Value {
    json!({"type": "user", "isMeta": true, "message": {"content": "[a picture]"}})
}

fn noise() -> Value {
    json!({"type": "last-prompt", "leafUuid": "x"})
}

#[test]
fn the_mark_is_the_last_line_and_says_what_the_calls_line_says_of_its_surroundings() {
    let home = Home::with(&[prompt(), text("m"), call("m", "a"), noise()]);
    let before = home.text();
    home.ask_again("a").unwrap();
    let mut mark = home.added(&before);
    let fields = mark.as_object_mut().unwrap();
    let uuid = fields.remove("uuid").unwrap();
    assert!(uuid.as_str().unwrap().parse::<uuid::Uuid>().is_ok());
    let timestamp = fields.remove("timestamp").unwrap();
    assert_eq!(
        timestamp.as_str().unwrap().len(),
        "2026-11-20T11:20:39.675Z".len()
    );
    assert_eq!(
        mark,
        json!({
            "parentUuid": "line of a", "isSidechain": false, "type": "attachment",
            "attachment": {
                "type": "hook_deferred_tool", "toolUseID": "a", "toolName": "Write",
                "toolInput": {"file_path": "/a/shop/one.txt", "content": "one"},
                "hookName": "flotilla", "hookEvent": "PreToolUse", "permissionMode": "default",
            },
            "userType": "external", "entrypoint": "flotilla", "cwd": "/a/shop", "sessionId": "s",
            "version": "2.1.329", "gitBranch": "HEAD",
        })
    );
}

#[test]
fn a_second_time_changes_nothing() {
    let home = Home::with(&[prompt(), call("m", "a")]);
    home.ask_again("a").unwrap();
    let marked = home.text();
    home.ask_again("a").unwrap();
    assert_eq!(home.text(), marked);
    // What a process that asked again has written by the time it is killed.
    home.write(&format!(
        "{marked}{}\n",
        json!({"type": "queue-operation", "operation": "dequeue"})
    ));
    let killed = home.text();
    home.ask_again("a").unwrap();
    assert_eq!(home.text(), killed);
}

#[test]
fn calls_of_the_same_message_that_are_answered_do_not_hinder() {
    let parallel = [
        call("m", "a"),
        result("a"),
        call("m", "b"),
        meta(),
        call("m", "c"),
        result("b"),
    ];
    let home = Home::with(&[&[prompt()], &parallel[..]].concat());
    home.ask_again("c").unwrap();
    // An older message may have left a call behind, when a process was killed and nobody asked again.
    let home = Home::with(&[prompt(), call("m", "a"), text("n"), call("o", "b")]);
    home.ask_again("b").unwrap();
}

#[test]
fn several_without_an_answer_are_refused() {
    let lines = [
        prompt(),
        call("m", "a"),
        call("m", "b"),
        call("m", "c"),
        result("b"),
    ];
    let home = Home::with(&lines);
    let before = home.text();
    let error = home.ask_again("c").unwrap_err();
    assert!(
        matches!(error, AskAgainError::Several { calls: 2 }),
        "{error}"
    );
    assert_eq!(home.text(), before);
}

#[test]
fn a_call_that_is_not_where_the_conversation_ends_is_refused() {
    let mut below = call("n", "a");
    below["isSidechain"] = json!(true);
    let elsewhere = [
        vec![],
        vec![prompt()],
        vec![prompt(), call("m", "a"), text("n")],
        vec![prompt(), call("m", "a"), prompt()],
        vec![prompt(), call("m", "b"), below],
    ];
    for lines in elsewhere {
        let home = Home::with(&lines);
        let before = home.text();
        let error = home.ask_again("a").unwrap_err();
        assert!(
            matches!(error, AskAgainError::NotAtTheEnd),
            "{lines:?}: {error}"
        );
        assert_eq!(home.text(), before);
    }
}

#[test]
fn an_answer_of_the_agents_own_is_an_answer() {
    let home = Home::with(&[prompt(), call("m", "a"), result("a")]);
    assert!(matches!(home.ask_again("a"), Err(AskAgainError::Answered)));
}

#[test]
fn what_was_to_be_done_in_another_folder_is_refused() {
    let mut below = call("m", "a");
    below["cwd"] = json!("/a/shop/below");
    let home = Home::with(&[prompt(), below.clone()]);
    let error = home.ask_again("a").unwrap_err();
    assert_eq!(
        error.to_string(),
        "it was to be done in `/a/shop/below`, where the agent had gone, and a new process does not begin there"
    );
    // A question is the same everywhere.
    home.ask_again_of("AskUserQuestion", "a").unwrap();
    // A worktree of another host, moved here with its transcript.
    let home = Home::with(&[prompt(), below]);
    let moved = home
        .path()
        .parent()
        .unwrap()
        .with_file_name("-a-shop-below");
    fs::rename(home.path().parent().unwrap(), moved).unwrap();
    home.ask_again("a").unwrap();
}

#[test]
fn half_a_line_is_ended_and_a_whole_one_without_its_newline_counts() {
    let home = Home::with(&[prompt(), call("m", "a")]);
    let torn = format!("{}{}", home.text(), &result("a").to_string()[..40]);
    home.write(&torn);
    home.ask_again("a").unwrap();
    assert_eq!(home.added(&format!("{torn}\n"))["parentUuid"], "line of a");

    let whole = format!("{}\n{}", prompt(), call("m", "a"));
    home.write(&whole);
    home.ask_again("a").unwrap();
    assert_eq!(home.added(&format!("{whole}\n"))["parentUuid"], "line of a");

    home.write(&whole[..whole.len() - 1]);
    assert!(matches!(
        home.ask_again("a"),
        Err(AskAgainError::NotAtTheEnd)
    ));

    // Our own mark, half written by a runner that was killed.
    home.write(&format!("{whole}\n"));
    home.ask_again("a").unwrap();
    let marked = home.text();
    home.write(&marked[..marked.len() - 20]);
    home.ask_again("a").unwrap();
    assert_eq!(home.text().matches("hook_deferred_tool").count(), 2);
    let torn = home.text();
    home.ask_again("a").unwrap();
    assert_eq!(home.text(), torn, "the whole one is found");
}

#[test]
fn long_lines_around_the_call_do_not_hinder() {
    let long = "x".repeat(5 << 20);
    let mut before = result("a");
    before["message"]["content"][0]["content"] = json!(long);
    let mut own = call("n", "b");
    own["message"]["content"][0]["input"] = json!({"content": long});
    let snapshot = json!({"type": "file-history-snapshot", "snapshot": long});
    let home = Home::with(&[prompt(), call("m", "a"), before, own, snapshot]);
    let before = home.text();
    home.ask_again("b").unwrap();
    assert_eq!(home.added(&before)["parentUuid"], "line of b");
}

#[test]
fn a_plan_is_asked_about_in_plan_mode() {
    let mut prompt = prompt();
    prompt["permissionMode"] = json!("plan");
    let home = Home::with(&[prompt, call("m", "a")]);
    let before = home.text();
    home.ask_again("a").unwrap();
    assert_eq!(home.added(&before)["attachment"]["permissionMode"], "plan");
}

#[test]
fn without_a_transcript_there_is_nothing_to_ask_and_a_rehearsal_does_it_by_itself() {
    let home = Home::with(&[]);
    fs::remove_file(home.path()).unwrap();
    assert!(matches!(
        home.ask_again("a"),
        Err(AskAgainError::NoTranscript)
    ));
    let memory = home.folder.path().join(".flotilla-rehearsal");
    fs::create_dir(&memory).unwrap();
    fs::write(memory.join(format!("{}.jsonl", home.session.uuid())), "").unwrap();
    home.ask_again("a").unwrap();
}

#[test]
fn a_transcript_that_leads_elsewhere_is_not_written_to() {
    let home = Home::with(&[prompt(), call("m", "a")]);
    let other = home.folder.path().join("other");
    fs::rename(home.path(), &other).unwrap();
    std::os::unix::fs::symlink(&other, home.path()).unwrap();
    assert!(matches!(home.ask_again("a"), Err(AskAgainError::Open(_))));
    assert!(
        !fs::read_to_string(other)
            .unwrap()
            .contains("hook_deferred_tool")
    );
}
