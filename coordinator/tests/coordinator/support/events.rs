//! What a runner writes.

use nats::event::{
    Event, GateDecided, GateKind, GateOpened, MessageUser, SessionOpened, SessionState, State,
    ToolFinished, ToolOutcome, ToolReleased,
};
use nats::ids::GateId;
use serde_json::json;

pub fn opened() -> Event {
    SessionOpened {
        project: "prj-shop".to_owned(),
        agent: "rehearsal".to_owned(),
        title: "hello".to_owned(),
        branch: "flotilla/7f3a".to_owned(),
        base: "0".repeat(40),
        worktree: "/tmp/worktree".to_owned(),
        isolated: false,
        started_by: None,
    }
    .into()
}

pub fn state(state: State) -> Event {
    SessionState {
        state,
        reason: None,
    }
    .into()
}

pub fn said(text: &str) -> Event {
    MessageUser {
        command: nats::ids::CommandId::new(),
        text: text.to_owned(),
        delivery: nats::event::Delivery::Queue,
        attachments: Vec::new(),
        by: None,
    }
    .into()
}

pub fn gate_opened(gate: GateId) -> Event {
    let input = json!({"command": "ls"});
    GateOpened {
        gate,
        kind: GateKind::Tool,
        tool_use: format!("tool-{}", gate.short()),
        tool: "Bash".to_owned(),
        input_hash: nats::canonical::input_hash(&input),
        input,
        summary: "Run a command in shop".to_owned(),
        risks: Vec::new(),
        turn: None,
        parent: None,
        questions: Vec::new(),
        plan: None,
    }
    .into()
}

/// What a runner writes once a decision has reached it: all the way to the tool's end.
pub fn carried_out(gate: GateId, decision: nats::event::Decision) -> Vec<Event> {
    let tool_use = format!("tool-{}", gate.short());
    vec![
        GateDecided { gate, decision }.into(),
        ToolReleased {
            tool_use: tool_use.clone(),
            gate,
            allowed: true,
        }
        .into(),
        ToolFinished {
            tool_use,
            outcome: ToolOutcome::Succeeded,
            output: "a b".to_owned(),
            output_bytes: 3,
        }
        .into(),
    ]
}
