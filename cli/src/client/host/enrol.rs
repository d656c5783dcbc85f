//! `host enrol`: the command that makes another machine a host.

use std::collections::BTreeMap;

use nats::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::super::exit::Error;
use super::super::output::Output;
use super::super::server::Server;
use super::super::visible::one_line;

/// What is shown of the answer.
#[derive(Deserialize)]
struct Made {
    command: String,
    expires_at: Timestamp,
    #[serde(default)]
    warning: Option<String>,
}

pub(super) async fn enrol(
    host: &str,
    labels: Vec<(String, String)>,
    server: &Server,
    output: &mut Output,
) -> Result<(), Error> {
    let labels: BTreeMap<String, String> = labels.into_iter().collect();
    let body = json!({ "host": host, "labels": labels });
    let answer = server.post(&["api", "enrolments"], &body).await?;
    let made: Made = server.view(&answer)?;
    if let Some(warning) = made.warning.as_deref().filter(|_| !output.json) {
        output.say(&format!("Mind: {}", one_line(warning)));
    }
    if !output.json {
        let until = output.clock.moment(made.expires_at);
        output.say(&format!(
            "Type this on the machine that is to be {}. It serves once, until {until}:",
            one_line(host)
        ));
    }
    output.answer(&answer, |_| one_line(&made.command))
}
