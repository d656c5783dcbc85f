use serde_json::json;

use super::*;

fn read(messages: Value) -> Conversation {
    Conversation::read(&json!({ "messages": messages }))
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": [{"type": "text", "text": text}]})
}

fn call(segment: usize) -> Value {
    json!({"role": "assistant", "content": [{"type": "tool_use", "id": tool_id(segment), "name": "Read", "input": {}}]})
}

fn result(text: &str) -> Value {
    json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "x", "content": text}]})
}

#[test]
fn the_newest_prompt_counts_and_reminders_do_not() {
    let read = read(json!([
        user("say one"),
        {"role": "assistant", "content": "one"},
        {"role": "user", "content": [
            {"type": "text", "text": "<system-reminder>\nsay no\n</system-reminder>"},
            {"type": "text", "text": "say two<system-reminder>say neither"},
        ]},
        {"role": "system", "content": "# Environment\n - Primary working directory: /tmp/a b\n - Platform: linux"},
    ]));
    assert_eq!(
        (read.prompt.as_str(), read.prompt_position, read.played),
        ("say two", (2, 1), 0)
    );
    assert_eq!(read.folder.as_deref(), Some("/tmp/a b"));
}

#[test]
fn the_play_goes_on_after_each_answered_call() {
    let read = read(json!([
        user("read a\nread b"),
        call(0),
        result("first"),
        call(1),
        result("second")
    ]));
    assert_eq!(
        (read.played, read.tool_results),
        (2, vec!["second".to_owned()])
    );
}

#[test]
fn results_of_an_earlier_prompt_are_forgotten() {
    let read = read(
        json!([user("read a"), call(0), result("old"), {"role": "assistant", "content": "done"}, user("say hi")]),
    );
    assert_eq!((read.played, read.tool_results), (0, vec![]));
}

#[test]
fn a_note_beside_a_result_is_no_prompt_unless_it_is_a_script() {
    let beside = |text: &str| {
        let mut message = result("found");
        message["content"]
            .as_array_mut()
            .unwrap()
            .push(json!({"type": "text", "text": text}));
        read(json!([user("read a\nsay done"), call(0), message]))
    };
    assert_eq!(beside("Tool loaded.").prompt, "read a\nsay done");
    assert_eq!(beside("say something else").prompt, "say something else");
    assert_eq!(
        beside("[Request interrupted by user for tool use]").prompt,
        "read a\nsay done"
    );
}

#[test]
fn a_prompt_after_an_interruption_is_a_prompt_even_in_the_same_message() {
    let mut message = result("rejected");
    for text in ["[Request interrupted by user for tool use]", "hello again"] {
        message["content"]
            .as_array_mut()
            .unwrap()
            .push(json!({"type": "text", "text": text}));
    }
    let read = read(json!([user("read a"), call(0), message]));
    assert_eq!(
        (read.prompt.as_str(), read.prompt_position),
        ("hello again", (2, 2))
    );
}

#[test]
fn a_resumed_turn_goes_on_with_its_script() {
    let read = read(json!([
        user("read a\nread b"),
        call(0),
        result("first"),
        user("Continue from where you left off.")
    ]));
    assert_eq!((read.prompt.as_str(), read.played), ("read a\nread b", 1));
}

#[test]
fn a_broken_message_is_gone_on_with() {
    let rest = "Your response above was cut off mid-stream. Resume directly from where it stops.";
    let script = "say one\ncut\nsay two";
    let broken = read(json!([user(script), {"role": "assistant", "content": "one"}, user(rest)]));
    assert_eq!((broken.prompt.as_str(), broken.broken_off), (script, true));
    assert!(!read(json!([user(script)])).broken_off);
}

fn told(text: &str) -> Value {
    json!({"role": "system", "content": text})
}

#[test]
fn the_folder_and_the_plan_file_are_found_wherever_they_stand() {
    let read = read(json!([
        user("plan x"),
        told(
            "No plan file exists yet. You should create your plan at /a b/x.md using the Write tool.\nMore."
        )
    ]));
    assert_eq!(read.plan_file.as_deref(), Some("/a b/x.md"));
    let body = json!({"messages": [user("hi")], "system": [{"type": "text", "text": "Primary working directory: /tmp/a b\n"}]});
    assert_eq!(
        Conversation::read(&body).folder.as_deref(),
        Some("/tmp/a b")
    );
}

#[test]
fn what_the_user_says_meanwhile_is_heard_and_is_a_prompt_if_it_is_a_script() {
    let steer = |text: &str| {
        let note = format!(
            "The user sent a new message while you were working:\n{text}\n\nThis is how it is told."
        );
        read(json!([
            user("read a\nsay done"),
            call(0),
            result("found"),
            told(&note)
        ]))
    };
    let read = steer("not so fast");
    assert_eq!(
        (read.prompt.as_str(), read.steered),
        ("read a\nsay done", vec!["not so fast".to_owned()])
    );
    let read = steer("say something else");
    assert_eq!(
        (read.prompt.as_str(), read.played),
        ("say something else", 0)
    );
}

#[test]
fn a_task_in_the_background_is_noticed_when_nothing_else_is_to_be_answered() {
    let notice = user(
        "<system-reminder><task-notification><result>all built</result></task-notification></system-reminder>",
    );
    let done = json!({"role": "assistant", "content": "done"});
    let idle = read(json!([
        user("agent run make"),
        call(0),
        result("launched"),
        done,
        notice
    ]));
    assert_eq!(idle.notice.as_deref(), Some("all built"));
    let busy = read(json!([
        user("read a\nread b"),
        call(0),
        result("found"),
        notice
    ]));
    assert_eq!(busy.notice, None);
}

#[test]
fn parallel_results_are_all_there() {
    let both = json!({"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "x", "content": [{"type": "text", "text": "one"}]},
        {"type": "tool_result", "tool_use_id": "y", "content": "two", "is_error": true},
    ]});
    assert_eq!(
        read(json!([user("together"), call(0), both])).tool_results,
        ["one", "two"]
    );
}

#[test]
fn of_two_prompts_in_one_message_the_last_one_counts() {
    let read = read(json!([{"role": "user", "content": [
        {"type": "text", "text": "error 529"},
        {"type": "text", "text": "say recovered"},
    ]}]));
    assert_eq!(
        (read.prompt.as_str(), read.prompt_position),
        ("say recovered", (0, 1))
    );
}
