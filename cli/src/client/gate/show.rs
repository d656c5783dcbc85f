//! `gate show`: one gate with everything that is needed to decide it.

use nats::event::GateKind;

use super::exact;
use crate::client::clock::Clock;
use crate::client::exit::Error;
use crate::client::output::Output;
use crate::client::reference;
use crate::client::server::Server;
use crate::client::view::{GateState, GateView, HostView};
use crate::client::visible::one_line;
use crate::client::words;

pub(super) async fn run(gate: &str, server: &Server, output: &mut Output) -> Result<(), Error> {
    let id = reference::gate(server, gate).await?;
    let row = server.get(&["api", "gates", &id.to_string()], &[]).await?;
    let view: GateView = server.view(&row)?;
    let host = reference::host(server, &view.host).await;
    output.answer(&row, |clock| card(&view, host.as_ref(), clock))
}

fn card(gate: &GateView, host: Option<&HostView>, clock: &Clock) -> String {
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
    if let Some(silence) = host.and_then(|host| words::silence(host, clock)) {
        field("host", silence);
    }
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
            card(&gate(json!({})), None, &Clock::at("2026-11-20T14:30:00Z")),
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
        let card = card(&gate, None, &Clock::at("2026-11-20T14:30:00Z"));
        assert!(
            card.contains(
                "Denied by Ana at 14:05; delivered to the host; the agent has not been told yet"
            ),
            "{card}"
        );
        assert!(!card.contains("To decide"), "{card}");
    }

    #[test]
    fn a_decision_for_a_silent_host_says_since_when_it_is_silent() {
        let decision = json!({ "verdict": "allow", "input_hash": "h", "by": "usr_0192f3a0000070008000000000000001",
            "by_name": "Ana", "at": "2026-11-20T14:29:30Z" });
        let gate = gate(json!({ "state": "decided", "decision": decision }));
        let host: HostView = serde_json::from_value(
            json!({ "host": "vps-2", "state": "silent", "heard_at": "2026-11-20T14:29:20Z" }),
        )
        .expect("a host");
        let card = card(&gate, Some(&host), &Clock::at("2026-11-20T14:30:00Z"));
        assert!(
            card.contains("Allowed by Ana at 14:29; recorded; the host has not taken it yet\n  host     vps-2 has not been heard for 40 s"),
            "{card}"
        );
    }
}
