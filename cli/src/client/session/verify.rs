//! `session verify`: one line for each place that holds the session, and the first difference.

use nats::ids::SessionId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::exit::Error;
use super::super::output::Output;
use super::super::server::Server;

#[derive(Debug, Deserialize)]
struct View {
    verdict: String,
    events: u64,
    parts: Vec<Part>,
    difference: Option<Difference>,
}

#[derive(Debug, Deserialize)]
struct Part {
    part: String,
    state: String,
    words: String,
}

#[derive(Debug, Deserialize)]
struct Difference {
    part: String,
    seq: Option<u64>,
    expected: String,
    found: String,
}

pub(super) async fn run(
    session: SessionId,
    server: &Server,
    output: &mut Output,
) -> Result<(), Error> {
    let id = session.to_string();
    let path = ["api", "sessions", id.as_str(), "verify"];
    let whole: Value = server.post(&path, &json!({})).await?;
    let view: View = server.view(&whole)?;
    output.answer(&whole, |_| lines(&view))?;
    match (view.verdict.as_str(), &view.difference) {
        ("same", _) => Ok(()),
        (_, Some(difference)) => Err(Error::Different(sentence(difference))),
        (_, None) => Err(Error::Unverified(unverified(&view))),
    }
}

fn lines(view: &View) -> String {
    let line = |part: &Part| {
        let name = name(&part.part);
        format!("{name:<11} {:<10} {}", part.state, part.words)
    };
    let lines: Vec<String> = view.parts.iter().map(line).collect();
    lines.join("\n")
}

fn name(part: &str) -> String {
    part.replace('_', " ")
}

fn sentence(difference: &Difference) -> String {
    let at = difference
        .seq
        .map(|seq| format!(" at event {seq}"))
        .unwrap_or_default();
    format!(
        "the {} differs{at}: expected {}, found {}",
        name(&difference.part),
        difference.expected,
        difference.found
    )
}

fn unverified(view: &View) -> String {
    let missing: Vec<String> = view
        .parts
        .iter()
        .filter(|part| part.state == "unchecked")
        .map(|part| format!("{} ({})", name(&part.part), part.words))
        .collect();
    format!(
        "{} events are the same where they could be looked at; not looked at: {}",
        view.events,
        missing.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_one_sentence_with_its_place() {
        let view: View = serde_json::from_value(json!({
            "verdict": "different", "events": 9,
            "parts": [
                {"part": "host_log", "state": "same", "words": "vps-1 keeps 1 to 9", "difference": null},
                {"part": "projection", "state": "different", "words": "9 rows of this coordinator", "difference": null},
            ],
            "difference": {"part": "host_log", "seq": 7, "expected": "event 7", "found": "nothing"},
        }))
        .expect("a verification");
        assert_eq!(
            lines(&view),
            "host log    same       vps-1 keeps 1 to 9\nprojection  different  9 rows of this coordinator"
        );
        assert_eq!(
            view.difference.as_ref().map(sentence).as_deref(),
            Some("the host log differs at event 7: expected event 7, found nothing")
        );
    }
}
