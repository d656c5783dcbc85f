//! `gate allow`, `deny` and `answer`. The first decision wins; a later one is told whose it was.

use std::io::Read;

use nats::event::GateKind;
use nats::ids::AuditId;
use serde_json::{Value, json};

use super::answers;
use crate::client::exit::Error;
use crate::client::output::Output;
use crate::client::reference;
use crate::client::server::Server;
use crate::client::view::GateView;
use crate::client::visible::one_line;

const INPUT_BYTES_MAX: u64 = 16 << 20;

pub(super) async fn allow(
    gate: &str,
    input: Option<&str>,
    seen: Option<String>,
    server: &Server,
    output: &mut Output,
) -> Result<(), Error> {
    let gate = find(gate, server).await?;
    if gate.kind.is(&GateKind::Question) {
        return Err(Error::Usage {
            message: "this is a question: it wants an answer, not a yes".to_owned(),
            hint: Some(format!(
                "flotilla gate answer {} \"your answer\"",
                gate.id.short()
            )),
        });
    }
    let mut body = json!({ "decision": "allow", "input_hash": seen.unwrap_or_else(|| gate.input_hash.clone()) });
    if let Some(input) = input {
        body["input"] = parsed(input)?;
    }
    decide(&gate, body, "Allowed", server, output).await
}

pub(super) async fn deny(
    gate: &str,
    reason: Option<String>,
    server: &Server,
    output: &mut Output,
) -> Result<(), Error> {
    let gate = find(gate, server).await?;
    let mut body = json!({ "decision": "deny", "input_hash": gate.input_hash });
    if let Some(reason) = reason {
        body["reason"] = reason.into();
    }
    decide(&gate, body, "Denied", server, output).await
}

pub(super) async fn answer(
    gate: &str,
    said: &[String],
    server: &Server,
    output: &mut Output,
) -> Result<(), Error> {
    let gate = find(gate, server).await?;
    if !gate.kind.is(&GateKind::Question) {
        return Err(Error::Usage {
            message: "this is no question".to_owned(),
            hint: Some(format!(
                "flotilla gate allow {0}, or flotilla gate deny {0} \"why not\"",
                gate.id.short()
            )),
        });
    }
    let answers = answers::matched(&gate.questions, said)?;
    let body = json!({ "decision": "answer", "answers": answers, "input_hash": gate.input_hash });
    decide(&gate, body, "Answered", server, output).await
}

async fn find(gate: &str, server: &Server) -> Result<GateView, Error> {
    let id = reference::gate(server, gate).await?;
    server.view(&server.get(&["api", "gates", &id.to_string()], &[]).await?)
}

async fn decide(
    gate: &GateView,
    mut body: Value,
    done: &str,
    server: &Server,
    output: &mut Output,
) -> Result<(), Error> {
    // Chosen here: a decision that is sent twice is one decision.
    body["id"] = json!(AuditId::new());
    let decided = server
        .post(&["api", "gates", &gate.id.to_string(), "decision"], &body)
        .await?;
    output.say(&format!("{done}: {}", one_line(&gate.summary)));
    if output.json {
        return output.answer(&decided, |_| String::new());
    }
    Ok(())
}

/// The changed input, from the line itself or from stdin.
fn parsed(input: &str) -> Result<Value, Error> {
    let mut text = input.to_owned();
    if input == "-" {
        text.clear();
        let read = std::io::stdin()
            .lock()
            .take(INPUT_BYTES_MAX)
            .read_to_string(&mut text);
        read.map_err(Error::local("could not read stdin"))?;
    }
    let value: Result<Value, _> = serde_json::from_str(&text);
    value
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| Error::Usage {
            message: "the input is not a JSON object".to_owned(),
            hint: Some(
                "it is the whole input of the tool, as in `flotilla gate show ID --json`"
                    .to_owned(),
            ),
        })
}
