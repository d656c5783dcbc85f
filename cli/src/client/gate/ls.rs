//! `gate ls`: everything that waits, oldest first.

use serde_json::{Value, json};

use crate::client::clock::Clock;
use crate::client::exit::Error;
use crate::client::output::Output;
use crate::client::reference;
use crate::client::server::Server;
use crate::client::table::table;
use crate::client::view::GateView;
use crate::client::visible::{one_line, shortened};
use crate::client::words;

const SUMMARY_CHARACTERS_MAX: usize = 72;
const TITLE_CHARACTERS_MAX: usize = 32;

pub(super) async fn run(
    session: Option<&str>,
    all: bool,
    server: &Server,
    output: &mut Output,
) -> Result<(), Error> {
    let session = match session {
        Some(session) => Some(reference::session(server, session).await?.to_string()),
        None => None,
    };
    let mut query = Vec::new();
    if !all {
        query.push(("state", "pending"));
    }
    query.extend(session.as_deref().map(|session| ("session", session)));
    let rows = server.list(&["api", "gates"], &query).await?;
    let mut gates: Vec<(GateView, Value)> = Vec::with_capacity(rows.len());
    for row in rows {
        gates.push((server.view(&row)?, row));
    }
    gates.sort_by_key(|(gate, _)| gate.opened_at);
    let (views, rows): (Vec<GateView>, Vec<Value>) = gates.into_iter().unzip();
    if views.is_empty() && !output.json {
        output.say("Nothing waits for you.");
        return Ok(());
    }
    output.answer(&json!({ "items": rows, "next": null }), |clock| {
        listing(&views, clock)
    })
}

fn listing(gates: &[GateView], clock: &Clock) -> String {
    let rows: Vec<Vec<String>> = gates
        .iter()
        .map(|gate| {
            vec![
                gate.id.short(),
                words::gate_state(gate, clock),
                shortened(&one_line(&gate.summary), SUMMARY_CHARACTERS_MAX),
                shortened(&one_line(&gate.session_title), TITLE_CHARACTERS_MAX),
                one_line(&gate.project_name),
                one_line(&gate.host),
            ]
        })
        .collect();
    table(
        &["ID", "STATE", "WHAT", "SESSION", "PROJECT", "HOST"],
        &rows,
    )
}
