//! `session stop`, `interrupt` and `resume`: a wish for the host, accepted and on its way.

use nats::ids::CommandId;
use serde_json::{Value, json};

use crate::client::exit::Error;
use crate::client::output::Output;
use crate::client::reference;
use crate::client::server::Server;

pub(super) async fn run(
    session: &str,
    verb: &str,
    words: &str,
    server: &Server,
    output: &mut Output,
) -> Result<(), Error> {
    post(session, verb, json!({}), words, server, output).await
}

/// Whether it goes on by itself once a usage limit is over.
pub(super) async fn resume_at_reset(
    session: &str,
    enabled: bool,
    server: &Server,
    output: &mut Output,
) -> Result<(), Error> {
    let words = if enabled {
        "It is asked to go on by itself once a usage limit is over."
    } else {
        "It is asked to wait for you once a usage limit is over."
    };
    let body = json!({ "enabled": enabled });
    post(session, "resume-at-reset", body, words, server, output).await
}

async fn post(
    session: &str,
    verb: &str,
    mut wish: Value,
    words: &str,
    server: &Server,
    output: &mut Output,
) -> Result<(), Error> {
    let session = reference::session(server, session).await?;
    // Chosen here: a wish that is sent twice is one wish.
    wish["id"] = json!(CommandId::new());
    let accepted = server
        .post(&["api", "sessions", &session.to_string(), verb], &wish)
        .await?;
    output.say(words);
    if output.json {
        return output.answer(&accepted, |_| String::new());
    }
    Ok(())
}
