//! `host drain` and `host resume`: whether a machine takes new sessions.

use serde_json::{Value, json};

use super::super::exit::Error;
use super::super::output::Output;
use super::super::server::Server;
use super::super::visible::one_line;

pub(super) async fn drain(host: &str, server: &Server, output: &mut Output) -> Result<(), Error> {
    let row = change(host, "drain", server).await?;
    let words = "takes no new sessions; what it has goes on there, and nothing is moved away";
    answer(&row, host, words, output)
}

pub(super) async fn resume(host: &str, server: &Server, output: &mut Output) -> Result<(), Error> {
    let row = change(host, "resume", server).await?;
    answer(&row, host, "takes new sessions", output)
}

async fn change(host: &str, verb: &str, server: &Server) -> Result<Value, Error> {
    server.post(&["api", "hosts", host, verb], &json!({})).await
}

fn answer(row: &Value, host: &str, words: &str, output: &mut Output) -> Result<(), Error> {
    output.answer(row, |_| format!("{} {words}", one_line(host)))
}
