//! `session ls`: who needs you, who works, who is idle.

use serde_json::{Value, json};

use crate::client::clock::Clock;
use crate::client::exit::Error;
use crate::client::output::Output;
use crate::client::server::Server;
use crate::client::table::table;
use crate::client::view::SessionView;
use crate::client::visible::{one_line, shortened};
use crate::client::words;

/// A title is for telling sessions apart; `show` has all of it.
const TITLE_CHARACTERS_MAX: usize = 44;

pub(super) async fn run(all: bool, server: &Server, output: &mut Output) -> Result<(), Error> {
    let active = [("state", "active")];
    let rows = server
        .list(&["api", "sessions"], if all { &[] } else { &active })
        .await?;
    let mut sessions: Vec<(SessionView, Value)> = Vec::with_capacity(rows.len());
    for row in rows {
        sessions.push((server.view(&row)?, row));
    }
    sessions.sort_by_key(|(view, _)| {
        let newest_first = std::cmp::Reverse(view.updated_at);
        (
            words::urgency(&view.state),
            view.waiting_since,
            newest_first,
        )
    });
    let (views, rows): (Vec<SessionView>, Vec<Value>) = sessions.into_iter().unzip();
    if !output.json && views.is_empty() {
        output.say("No session. `flotilla session start --project P --agent A PROMPT` starts one.");
        return Ok(());
    }
    output.answer(&json!({ "items": rows, "next": null }), |clock| {
        listing(&views, clock)
    })
}

fn listing(sessions: &[SessionView], clock: &Clock) -> String {
    let rows: Vec<Vec<String>> = sessions.iter().map(|session| row(session, clock)).collect();
    table(
        &[
            "ID", "STATE", "TITLE", "PROJECT", "AGENT", "HOST", "CHANGES", "COST", "LAST",
        ],
        &rows,
    )
}

fn row(session: &SessionView, clock: &Clock) -> Vec<String> {
    vec![
        session.id.short(),
        words::session_state(session, clock),
        shortened(&one_line(&session.title), TITLE_CHARACTERS_MAX),
        one_line(&session.project_name),
        one_line(&session.agent),
        one_line(session.host.as_deref().unwrap_or("none yet")),
        format!("+{} −{}", session.added, session.removed),
        format!("${:.2}", session.cost_usd),
        clock.moment(session.updated_at),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_a_person_looks_for() {
        let sessions: Vec<SessionView> = serde_json::from_value(json!([
            { "id": "ses_0192f3a0000070008000000000001a2b", "title": "Fix the login\nbug", "state": "waiting", "waiting_since": "2026-11-20T14:02:00Z",
              "project_name": "shop", "agent": "claude", "host": "vps-1", "added": 12, "removed": 3, "cost_usd": 0.424,
              "created_at": "2026-11-20T13:00:00Z", "updated_at": "2026-11-20T14:02:00Z" },
            { "id": "ses_0192f3a0000070008000000000003c4d", "title": "Later", "state": "hibernating", "project_name": "shop", "agent": "codex", "host": "vps-2",
              "created_at": "2026-11-20T13:00:00Z", "updated_at": "2026-11-20T13:01:00Z" },
        ]))
        .expect("two sessions, one of a newer server");
        assert_eq!(
            listing(&sessions, &Clock::at("2026-11-20T14:30:00Z")),
            "ID        STATE                        TITLE              PROJECT  AGENT   HOST   CHANGES  COST   LAST\n\
             00001a2b  Waiting for you since 14:02  Fix the login bug  shop     claude  vps-1  +12 −3   $0.42  14:02\n\
             00003c4d  hibernating                  Later              shop     codex   vps-2  +0 −0    $0.00  13:01"
        );
    }
}
