//! What must hold for any line and any moment.

use nats::event::TurnOutcome;
use proptest::prelude::*;
use runner::agent::{Adapter, AgentEvent, Dialect};

use crate::transcript;

/// As a restarted runner finds it.
fn stored_and_read(adapter: &Adapter) -> Adapter {
    let stored = serde_json::to_string(adapter).unwrap();
    assert!(
        stored.len() < 16 * 1024,
        "the state is stored after every line: {stored}"
    );
    serde_json::from_str(&stored).unwrap()
}

#[test]
fn a_restart_between_any_two_lines_changes_nothing() {
    for transcript in transcript::all() {
        let straight = transcript.play(|_, adapter| adapter);
        let restarted = transcript.play(|_, adapter| stored_and_read(&adapter));
        assert_eq!(straight, restarted, "{}", transcript.name);
    }
}

#[test]
fn a_line_that_is_half_there_is_told_of_and_breaks_nothing() {
    let mut adapter = Adapter::new(Dialect::Claude);
    let told: usize = transcript::all()[0]
        .lines
        .iter()
        .map(|line| adapter.line(&line[..line.len() / 2]).len())
        .sum();
    assert_eq!(told, 3, "three are shown, the others are counted");
    let good = transcript::all()[0].play(|_, adapter| adapter);
    assert!(good.contains(&AgentEvent::TurnBegan));
}

#[test]
fn lines_of_a_newer_build_are_passed_over() {
    let mut adapter = Adapter::new(Dialect::Claude);
    for line in [
        r#"{"type":"hologram","data":1}"#,
        r#"{"type":"system","subtype":"never_seen"}"#,
        r#"{"type":"system"}"#,
        r#"{"type":"stream_event","event":{"type":"novel"}}"#,
        r#"{"type":"stream_event"}"#,
        r#"{"type":"control_response"}"#,
        "",
        "   ",
    ] {
        assert_eq!(adapter.line(line.as_bytes()), [], "{line}");
    }
}

#[test]
fn wrong_types_count_as_absent() {
    let mut adapter = Adapter::new(Dialect::Claude);
    for line in [
        r#"{"type":"result","subtype":7,"usage":[],"modelUsage":{"a":3},"errors":{},"duration_ms":-1,"is_error":"yes"}"#,
        r#"{"type":"assistant","message":{"id":5,"content":[7,{"type":"text","text":{}},{"type":"tool_use"}]}}"#,
        r#"{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":[],"content":9}]},"uuid":"no"}"#,
        r#"{"type":"stream_event","event":{"type":"content_block_delta","index":-3,"delta":7}}"#,
        r#"{"type":"system","subtype":"api_retry","retry_delay_ms":1e400,"error_status":99999}"#,
        r#"{"type":"control_cancel_request","request_id":{}}"#,
    ] {
        adapter.line(line.as_bytes());
    }
}

#[test]
fn a_request_that_nobody_serves_is_answered_with_an_error() {
    for request in [
        r#"{"type":"control_request","request_id":"r1","request":{"subtype":"elicitation"}}"#,
        r#"{"type":"control_request","request_id":"r1","request":{"subtype":"can_use_tool","tool_name":"Bash"}}"#,
        r#"{"type":"control_request","request_id":"r1"}"#,
    ] {
        let events = Adapter::new(Dialect::Claude).line(request.as_bytes());
        let Some(AgentEvent::Reply(input)) = events.first() else {
            panic!("{events:?}")
        };
        let written: serde_json::Value = serde_json::from_slice(&input.bytes).unwrap();
        assert_eq!(
            (written["response"]["subtype"].as_str(), input.id.as_str()),
            (Some("error"), "refusal_r1")
        );
        assert_eq!(written["response"]["request_id"], "r1");
    }
}

#[test]
fn an_answer_that_ends_without_a_reason_is_cut_and_a_local_command_is_not() {
    let ending = |line: &str| {
        let events = Adapter::new(Dialect::Claude).line(line.as_bytes());
        let Some(AgentEvent::TurnFinished { outcome, .. }) = events.last() else {
            panic!("{events:?}")
        };
        *outcome
    };
    let cut = r#"{"type":"result","subtype":"success","is_error":false,"stop_reason":null,"num_turns":1,"result":"so"}"#;
    assert_eq!(ending(cut), TurnOutcome::Cut);
    let local = r#"{"type":"result","subtype":"success","is_error":false,"stop_reason":null,"num_turns":0,"result":""}"#;
    assert_eq!(ending(local), TurnOutcome::Completed);
    let refused = r#"{"type":"result","subtype":"success","is_error":true,"stop_reason":"refusal","num_turns":1,"result":"no"}"#;
    assert_eq!(ending(refused), TurnOutcome::Failed);
}

#[test]
fn a_very_long_line_is_read_and_a_deep_one_is_told_of() {
    let mut adapter = Adapter::new(Dialect::Claude);
    let text = "x".repeat(12 << 20);
    let line = serde_json::json!({"type": "assistant", "message": {"id": "m", "content": [{"type": "text", "text": text}]}});
    assert_eq!(adapter.line(line.to_string().as_bytes()).len(), 2);
    let deep = format!(
        r#"{{"type":"assistant","message":{}{}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    assert!(matches!(
        adapter.line(deep.as_bytes()).as_slice(),
        [AgentEvent::Notice { .. }]
    ));
}

/// Recorded lines in any order, with any of their letters changed.
fn mutated_line() -> impl Strategy<Value = Vec<u8>> {
    let lines: Vec<Vec<u8>> = transcript::all()
        .into_iter()
        .flat_map(|transcript| transcript.lines)
        .collect();
    let places = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (prop::sample::select(lines), places).prop_map(|(mut line, places)| {
        for (place, byte) in places {
            let at = place.index(line.len());
            line[at] = byte;
        }
        line
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_damaged_lines_breaks_the_adapter_or_its_turns(lines in proptest::collection::vec(mutated_line(), 1..60)) {
        let mut adapter = Adapter::new(Dialect::Claude);
        let mut running = false;
        for line in &lines {
            for event in adapter.line(line) {
                match event {
                    AgentEvent::TurnBegan => { prop_assert!(!running); running = true; }
                    AgentEvent::TurnFinished { .. } => { prop_assert!(running); running = false; }
                    _ => {}
                }
            }
            adapter = stored_and_read(&adapter);
        }
    }

    #[test]
    fn no_bytes_break_the_adapter(line in proptest::collection::vec(any::<u8>(), 0..400)) {
        Adapter::new(Dialect::Claude).line(&line);
    }
}
