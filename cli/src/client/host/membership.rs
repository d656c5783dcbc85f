//! `host revoke` and `host remove`: how a machine leaves the fleet.

use nats::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::super::exit::Error;
use super::super::output::Output;
use super::super::server::Server;
use super::super::visible::one_line;

/// What is shown of the answer.
#[derive(Deserialize)]
struct Revoked {
    revoked_at: Timestamp,
    #[serde(default)]
    revoked_by_name: String,
    #[serde(default)]
    cut_off: bool,
}

pub(super) async fn revoke(host: &str, server: &Server, output: &mut Output) -> Result<(), Error> {
    let answer = server
        .post(&["api", "hosts", host, "revoke"], &json!({}))
        .await?;
    let revoked: Revoked = server.view(&answer)?;
    if !revoked.cut_off {
        output.say("It is recorded; the NATS servers are told as soon as a coordinator with their key reaches them.");
    }
    output.answer(&answer, |clock| {
        format!(
            "{} was revoked by {} at {}.",
            one_line(host),
            one_line(&revoked.revoked_by_name),
            clock.moment(revoked.revoked_at)
        )
    })
}

pub(super) async fn remove(host: &str, server: &Server, output: &mut Output) -> Result<(), Error> {
    server.delete(&["api", "hosts", host]).await?;
    output.answer(&json!({ "removed": host }), |_| {
        format!(
            "{} is out of the lists, and its name is free.",
            one_line(host)
        )
    })
}
