//! `session stop`, `interrupt` and `resume`: a wish for the host, accepted and on its way.

use nats::ids::CommandId;
use serde_json::json;

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
    let session = reference::session(server, session).await?;
    // Chosen here: a wish that is sent twice is one wish.
    let wish = json!({ "id": CommandId::new() });
    let accepted = server
        .post(&["api", "sessions", &session.to_string(), verb], &wish)
        .await?;
    output.say(words);
    if output.json {
        return output.answer(&accepted, |_| String::new());
    }
    Ok(())
}
