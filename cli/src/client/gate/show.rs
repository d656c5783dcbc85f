//! `gate show`: one gate with everything that is needed to decide it.

use nats::event::GateKind;

use super::exact;
use crate::client::clock::Clock;
use crate::client::exit::Error;
use crate::client::output::Output;
use crate::client::reference;
use crate::client::server::Server;
use crate::client::view::{GateState, GateView};
use crate::client::visible::one_line;
use crate::client::words;

pub(super) async fn run(gate: &str, server: &Server, output: &mut Output) -> Result<(), Error> {
    let id = reference::gate(server, gate).await?;
    let row = server.get(&["api", "gates", &id.to_string()], &[]).await?;
    let view: GateView = server.view(&row)?;
    output.answer(&row, |clock| card(&view, clock))
}

fn card(gate: &GateView, clock: &Clock) -> String {
    let branch = gate
        .branch
        .as_deref()
        .map(|branch| format!(" · {branch}"))
        .unwrap_or_default();
    let place = one_line(&format!("{}{branch} on {}", gate.project_name, gate.host));
    let mut lines = vec![format!(
        "{}, in {place}",
        one_line(gate.summary.trim_end_matches('.'))
    )];
    let mut field = |name: &str, value: String| lines.push(format!("  {name:<9}{value}"));
    field("state", words::gate_state(gate, clock));
    field("gate", gate.id.to_string());
    field("tool", one_line(&gate.tool));
    let subagent = if gate.parent.is_some() {
        "a subagent of "
    } else {
        ""
    };
    let session = one_line(&gate.session_title);
    field(
        "asks",
        format!(
            "{subagent}{}, in “{session}” (session {})",
            one_line(&gate.agent),
            gate.session.short()
        ),
    );
    for risk in &gate.risks {
        field("careful", one_line(risk));
    }
    lines.push(String::new());
    lines.push(exact::body(gate));
    if gate.state.is(&GateState::Pending) {
        lines.push(String::new());
        lines.push(next_steps(gate));
    }
    lines.join("\n")
}

fn next_steps(gate: &GateView) -> String {
    let short = gate.id.short();
    let deny = format!("flotilla gate deny {short} \"why not\"");
    if gate.kind.is(&GateKind::Question) {
        let answers = vec!["\"your answer\""; gate.questions.len().max(1)].join(" ");
        format!("To decide:\n  flotilla gate answer {short} {answers}\n  {deny}")
    } else {
        format!("To decide:\n  flotilla gate allow {short}\n  {deny}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn gate(more: Value) -> GateView {
        let mut gate = json!({
            "id": "gate_0192f3a0000070008000000000005e6f", "session": "ses_0192f3a0000070008000000000001a2b", "session_title": "Fix it",
            "host": "vps-2", "project_name": "shop", "branch": "flotilla/00001a2b", "agent": "claude", "kind": "tool", "tool": "Bash",
            "input": { "command": "rm -rf build\nls", "description": "Clean" }, "input_hash": "h", "summary": "Run a command.",
            "risks": ["It deletes files."], "opened_at": "2026-11-20T14:02:00Z", "state": "pending",
        });
        if let (Some(gate), Value::Object(more)) = (gate.as_object_mut(), more) {
            gate.extend(more);
        }
        serde_json::from_value(gate).expect("a gate")
    }

    #[test]
    fn a_command_stands_there_in_full() {
        assert_eq!(
            card(&gate(json!({})), &Clock::at("2026-11-20T14:30:00Z")),
            "Run a command, in shop · flotilla/00001a2b on vps-2\n  state    Waiting for you since 14:02\n\
             \x20 gate     gate_0192f3a0000070008000000000005e6f\n  tool     Bash\n  asks     claude, in “Fix it” (session 00001a2b)\n  careful  It deletes files.\n\n\
             \x20 $ rm -rf build\n    ls\n\n  description: \"Clean\"\n\nTo decide:\n  flotilla gate allow 00005e6f\n  flotilla gate deny 00005e6f \"why not\""
        );
    }

    #[test]
    fn a_decided_gate_says_by_whom_and_how_far_it_has_come() {
        let decision = json!({ "verdict": "deny", "reason": "no", "input_hash": "h", "by": "usr_0192f3a0000070008000000000000001",
            "by_name": "Ana", "at": "2026-11-20T14:05:00Z" });
        let gate = gate(
            json!({ "state": "decided", "decision": decision, "receipts": { "delivered_at": "2026-11-20T14:05:01Z" } }),
        );
        let card = card(&gate, &Clock::at("2026-11-20T14:30:00Z"));
        assert!(
            card.contains(
                "Denied by Ana at 14:05; delivered to the host; the agent has not been told yet"
            ),
            "{card}"
        );
        assert!(!card.contains("To decide"), "{card}");
    }
}
