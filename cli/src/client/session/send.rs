//! `session send`: says something to a session, and whether its host has it.

use std::time::Duration;

use nats::ids::{CommandId, SessionId};
use serde_json::json;

use super::follow::{Follow, Followed};
use super::text;
use crate::client::exit::Error;
use crate::client::output::Output;
use crate::client::server::Server;
use crate::client::view::{Accepted, SessionView};

/// A host that is there takes a message up in much less. One that is not will find it when it comes back.
const RECEIPT_WAIT: Duration = Duration::from_secs(5);

pub(super) async fn run(
    session: SessionId,
    said: &str,
    steer: bool,
    server: &Server,
    output: &mut Output,
) -> Result<(), Error> {
    let text = text::said(said)?;
    let id = session.to_string();
    let row: SessionView = server.view(&server.get(&["api", "sessions", &id], &[]).await?)?;
    let delivery = if steer { "steer" } else { "queue" };
    // Chosen here: a message that is sent twice is said once.
    let message = json!({ "id": CommandId::new(), "text": text, "delivery": delivery });
    let accepted = server
        .post(&["api", "sessions", &id, "messages"], &message)
        .await?;
    let command = server.view::<Accepted>(&accepted)?.id;
    let receipt = tokio::time::timeout(
        RECEIPT_WAIT,
        received(server, session, row.last_seq, command),
    )
    .await;
    output.say(match receipt {
        Ok(Ok(())) => "Delivered.",
        // The message is stored whatever became of our looking for its receipt.
        Ok(Err(_)) | Err(_) => "Stored; its host has not taken it up yet.",
    });
    output.answer(&accepted, |_| command.to_string())
}

/// Waits for the message in the session's own log.
async fn received(
    server: &Server,
    session: SessionId,
    after: u64,
    command: CommandId,
) -> Result<(), Error> {
    let mut follow = Follow::from(server, session, after).await?;
    let command = json!(command);
    loop {
        if let Followed::Event(event) = follow.next().await?
            && event["type"] == "message.user"
            && event["data"]["command"] == command
        {
            return Ok(());
        }
    }
}
