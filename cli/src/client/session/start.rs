//! `session start`: a new session, and its id on stdout.

use nats::ids::{CommandId, SessionId};
use serde_json::{Map, Value, json};

use super::text;
use crate::client::arguments::Start;
use crate::client::exit::Error;
use crate::client::output::Output;
use crate::client::server::Server;
use crate::client::view::SessionView;
use crate::client::words;

pub(super) async fn run(start: Start, server: &Server, output: &mut Output) -> Result<(), Error> {
    let prompt = start.prompt.as_deref().map(text::said).transpose()?;
    // Chosen here: a request that is sent twice makes one session.
    let id = SessionId::new();
    let made = server
        .post(&["api", "sessions"], &body(id, &start, prompt))
        .await?;
    // A server that says less than it might has made the session all the same.
    if let Ok(session) = server.view::<SessionView>(&made) {
        let state = words::session_state(&session, &output.clock);
        output.say(&state);
    }
    output.answer(&made, |_| id.to_string())
}

fn body(id: SessionId, start: &Start, prompt: Option<String>) -> Value {
    let mut body = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(name.to_owned(), value);
        }
    };
    let text = |value: &Option<String>| value.clone().map(Value::String);
    set("id", Some(json!(id)));
    set("project", Some(json!(start.project)));
    set("agent", Some(json!(start.agent)));
    set("host", text(&start.host));
    let labels: Map<String, Value> = start
        .host_labels
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    set(
        "host_labels",
        (!labels.is_empty()).then_some(Value::Object(labels)),
    );
    set("title", text(&start.title));
    set("base", text(&start.base));
    set(
        "prompt_id",
        prompt.as_ref().map(|_| json!(CommandId::new())),
    );
    set("prompt", prompt.map(Value::String));
    Value::Object(body)
}
