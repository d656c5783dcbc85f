//! `session show`: how one session stands, what happened in it, and what happens next.

use nats::event::State;
use nats::ids::SessionId;
use serde_json::Value;

use super::event;
use super::follow::{Follow, Followed};
use crate::client::clock::Clock;
use crate::client::exit::Error;
use crate::client::output::Output;
use crate::client::reference;
use crate::client::server::Server;
use crate::client::view::{GateView, HostView, SessionView};
use crate::client::visible::one_line;
use crate::client::words;

/// Events a request; the server may give fewer.
const EVENTS_PER_PAGE: &str = "500";

pub(super) async fn run(
    session: SessionId,
    events: bool,
    follow: bool,
    server: &Server,
    output: &mut Output,
) -> Result<(), Error> {
    let id = session.to_string();
    let row = server.get(&["api", "sessions", &id], &[]).await?;
    let view: SessionView = server.view(&row)?;
    if !(events || follow) {
        let gates = reference::gates(server, &[("state", "pending"), ("session", &id)]).await?;
        let host = match &view.host {
            Some(host) => reference::host(server, host).await,
            None => None,
        };
        return output.answer(&row, |clock| card(&view, &gates, host.as_ref(), clock));
    }
    if !output.json {
        let state = words::session_state(&view, &output.clock);
        output.say(&format!("{} · {state}", one_line(&view.title)));
    }
    let mut last = view.last_seq;
    if events {
        last = past(&id, server, output).await?;
    }
    if follow && !(view.state.is(&State::Ended) && last >= view.last_seq) {
        next(session, last, server, output).await?;
    }
    Ok(())
}

/// Everything so far, page after page. Says the number of the last event.
async fn past(id: &str, server: &Server, output: &mut Output) -> Result<u64, Error> {
    let mut last = 0;
    loop {
        let after = last.to_string();
        let page = server
            .get(
                &["api", "sessions", id, "events"],
                &[("after", &after), ("limit", EVENTS_PER_PAGE)],
            )
            .await?;
        let items = page["items"]
            .as_array()
            .ok_or_else(|| server.not_understood("a list without items"))?;
        for item in items {
            print(item, output)?;
            last = item["seq"].as_u64().unwrap_or(last);
        }
        // A page that does not get further would be asked for again and again.
        if page["next"].is_null() || items.is_empty() {
            return Ok(last);
        }
    }
}

async fn next(
    session: SessionId,
    after: u64,
    server: &Server,
    output: &mut Output,
) -> Result<(), Error> {
    let mut follow = Follow::from(server, session, after).await?;
    loop {
        match follow.next().await? {
            Followed::Event(event) => {
                print(&event, output)?;
                if event["type"] == "session.ended" {
                    return Ok(());
                }
            }
            Followed::Lost => output.say("The connection is gone; reconnecting."),
        }
    }
}

/// In JSON one event a line, as its runner wrote it.
fn print(event: &Value, output: &mut Output) -> Result<(), Error> {
    if output.json {
        return output.data(&event.to_string());
    }
    match event::lines(event, &output.clock) {
        Some(lines) => output.data(&lines),
        None => Ok(()),
    }
}

fn card(
    session: &SessionView,
    gates: &[GateView],
    host: Option<&HostView>,
    clock: &Clock,
) -> String {
    let silence = host.and_then(|host| words::silence(host, clock));
    let mut lines = vec![one_line(&session.title)];
    let mut field = |name: &str, value: String| lines.push(format!("  {name:<9}{value}"));
    field("state", words::session_state(session, clock));
    field("id", session.id.to_string());
    let branch = session
        .branch
        .as_deref()
        .map(|branch| format!(" · {branch}"))
        .unwrap_or_default();
    field(
        "project",
        one_line(&format!("{}{branch}", session.project_name)),
    );
    let model = session
        .model
        .as_deref()
        .map(|model| format!(" ({model})"))
        .unwrap_or_default();
    field("agent", one_line(&format!("{}{model}", session.agent)));
    let isolation = if session.isolated == Some(false) {
        ", not isolated"
    } else {
        ""
    };
    let host = session.host.as_deref().unwrap_or("none yet");
    field("host", one_line(&format!("{host}{isolation}")));
    if let Some(reason) = &session.placed_because {
        field("because", one_line(reason));
    }
    if let Some(silence) = &silence {
        field("silent", silence.clone());
    }
    if let Some(worktree) = &session.worktree {
        field("worktree", one_line(worktree));
    }
    field(
        "changes",
        format!("+{} −{}", session.added, session.removed),
    );
    field(
        "turns",
        format!("{}, ${:.2}", session.turns, session.cost_usd),
    );
    let by = session
        .created_by_name
        .as_deref()
        .map(|name| format!(" by {name}"))
        .unwrap_or_default();
    field(
        "started",
        one_line(&format!("{}{by}", clock.moment(session.created_at))),
    );
    lines.extend(broken_off(session, clock));
    for message in &session.undelivered {
        let words = words::undelivered(message, silence.as_deref(), clock);
        lines.push(format!("\n{words}"));
    }
    for gate in gates {
        let short = gate.id.short();
        lines.push(format!(
            "\n{}: {}",
            words::gate_state(gate, clock),
            one_line(&gate.summary)
        ));
        lines.push(format!("  flotilla gate show {short}"));
    }
    let unseen =
        u32::try_from(gates.len()).map_or(0, |seen| session.pending_gates.saturating_sub(seen));
    if unseen > 0 {
        lines.push(format!(
            "\n{unseen} more approvals wait; flotilla gate ls --session {}",
            session.id.short()
        ));
    }
    lines.join("\n")
}

/// Why its work stands still, and what to type about it. Nothing for one that works or has nothing to do.
fn broken_off(session: &SessionView, clock: &Clock) -> Vec<String> {
    let short = session.id.short();
    let go_on = format!("  flotilla session send {short} continue");
    if session.state.is(&State::Ended) {
        return Vec::new();
    }
    if let Some(limit) = &session.limit {
        let switch = if limit.resumes { "off" } else { "on" };
        let mut lines = vec![format!("\n{}", words::limit(limit, clock))];
        if limit.resets_at.is_some() {
            lines.push(format!(
                "  flotilla session resume-at-reset {switch} {short}"
            ));
        }
        lines.push(go_on);
        return lines;
    }
    if !session.can_continue {
        return Vec::new();
    }
    let reason = session
        .continue_reason
        .as_deref()
        .unwrap_or("its agent ended");
    vec![format!("\nBroken off: {}", one_line(reason)), go_on]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_card_leads_to_what_waits() {
        let session: SessionView = serde_json::from_value(json!({
            "id": "ses_0192f3a0000070008000000000001a2b", "title": "Fix it", "state": "waiting", "waiting_since": "2026-11-20T14:02:00Z",
            "project_name": "shop", "branch": "flotilla/00001a2b", "agent": "claude", "model": "opus", "host": "vps-1", "isolated": false,
            "pending_gates": 1, "added": 1, "removed": 0, "turns": 2, "cost_usd": 0.1,
            "created_at": "2026-11-20T13:00:00Z", "created_by_name": "Ana", "updated_at": "2026-11-20T14:02:00Z",
        }))
        .expect("a session");
        let gate: GateView = serde_json::from_value(json!({
            "id": "gate_0192f3a0000070008000000000005e6f", "session": "ses_0192f3a0000070008000000000001a2b", "kind": "tool", "tool": "Bash",
            "input": { "command": "npm test" }, "input_hash": "h", "summary": "Run npm test", "opened_at": "2026-11-20T14:02:00Z", "state": "pending",
        }))
        .expect("a gate");
        assert_eq!(
            card(&session, &[gate], None, &Clock::at("2026-11-20T14:30:00Z")),
            "Fix it\n  state    Waiting for you since 14:02\n  id       ses_0192f3a0000070008000000000001a2b\n\
             \x20 project  shop · flotilla/00001a2b\n  agent    claude (opus)\n  host     vps-1, not isolated\n  changes  +1 −0\n\
             \x20 turns    2, $0.10\n  started  13:00 by Ana\n\nWaiting for you since 14:02: Run npm test\n  flotilla gate show 00005e6f"
        );
    }

    #[test]
    fn a_session_without_a_host_says_where_it_stands_in_line_and_what_each_host_lacks() {
        let session: SessionView = serde_json::from_value(json!({
            "id": "ses_0192f3a0000070008000000000001a2b", "title": "Fix it", "state": "queued", "host": null,
            "state_reason": "Waits for a host. vps-1: no free slot, 4 of 4 taken; vps-2: draining.",
            "queue": { "position": 2, "length": 5, "reason": "vps-1: no free slot, 4 of 4 taken; vps-2: draining" },
            "project_name": "shop", "agent": "claude",
            "created_at": "2026-11-20T13:00:00Z", "updated_at": "2026-11-20T14:02:00Z",
        }))
        .expect("a session");
        let said = card(&session, &[], None, &Clock::at("2026-11-20T14:30:00Z"));
        assert!(
            said.contains("\n  state    Queued, 2 of 5: Waits for a host. vps-1: no free slot, 4 of 4 taken; vps-2: draining.\n"),
            "{said}"
        );
        assert!(said.contains("\n  host     none yet\n"), "{said}");
    }

    #[test]
    fn a_usage_limit_says_until_when_and_how_to_switch_going_on_by_itself() {
        let said = |resumes: bool, resets_at: Option<&str>| {
            let session: SessionView = serde_json::from_value(json!({
                "id": "ses_0192f3a0000070008000000000001a2b", "title": "Fix it", "state": "idle",
                "created_at": "2026-11-20T13:00:00Z", "updated_at": "2026-11-20T14:02:00Z", "can_continue": true, "continue_reason": "refused",
                "limit": { "message": "You've hit your limit", "resets_at": resets_at, "resumes": resumes },
            }))
            .expect("a session");
            broken_off(&session, &Clock::at("2026-11-20T14:02:00Z")).join("\n")
        };
        let reset = Some("2026-11-20T16:30:00Z");
        assert_eq!(
            said(true, reset),
            "\nUsage limit until 16:30, and goes on by itself then: You've hit your limit\n\
             \x20 flotilla session resume-at-reset off 00001a2b\n  flotilla session send 00001a2b continue"
        );
        assert_eq!(
            said(false, reset),
            "\nUsage limit until 16:30, and waits for you then: You've hit your limit\n\
             \x20 flotilla session resume-at-reset on 00001a2b\n  flotilla session send 00001a2b continue"
        );
        assert_eq!(
            said(false, None),
            "\nUsage limit, nobody said until when: You've hit your limit\n  flotilla session send 00001a2b continue"
        );
    }

    #[test]
    fn a_session_that_broke_off_says_why_and_what_goes_on() {
        let said = |state: &str| {
            let session: SessionView = serde_json::from_value(json!({
                "id": "ses_0192f3a0000070008000000000001a2b", "title": "Fix it", "state": state,
                "created_at": "2026-11-20T13:00:00Z", "updated_at": "2026-11-20T14:02:00Z",
                "can_continue": true, "continue_reason": "the agent was ended by signal 9",
            }))
            .expect("a session");
            broken_off(&session, &Clock::at("2026-11-20T14:02:00Z")).join("\n")
        };
        assert_eq!(
            said("asleep"),
            "\nBroken off: the agent was ended by signal 9\n  flotilla session send 00001a2b continue"
        );
        assert_eq!(said("ended"), "", "it does not go on");
    }

    #[test]
    fn a_message_that_a_silent_host_has_not_taken_is_said_to_be_accepted_and_no_more() {
        let session: SessionView = serde_json::from_value(json!({
            "id": "ses_0192f3a0000070008000000000001a2b", "title": "Fix it", "state": "lost", "host": "vps-2",
            "created_at": "2026-11-20T13:00:00Z", "updated_at": "2026-11-20T14:02:00Z",
            "undelivered": [{ "id": "cmd_0192f3a0000070008000000000005e6f", "at": "2026-11-20T14:29:00Z", "by_name": "Ana" }],
        }))
        .expect("a session");
        let host: HostView = serde_json::from_value(
            json!({ "host": "vps-2", "state": "silent", "heard_at": "2026-11-20T14:29:20Z" }),
        )
        .expect("a host");
        let clock = Clock::at("2026-11-20T14:30:00Z");
        let said = card(&session, &[], Some(&host), &clock);
        assert!(
            said.contains("\n  silent   vps-2 has not been heard for 40 s\n"),
            "{said}"
        );
        assert!(
            said.ends_with(
                "\nMessage of Ana: accepted at 14:29; vps-2 has not been heard for 40 s"
            ),
            "{said}"
        );
        let on_its_way = card(&session, &[], None, &clock);
        assert!(
            on_its_way.ends_with("accepted at 14:29; on its way to the host"),
            "{on_its_way}"
        );
    }
}
