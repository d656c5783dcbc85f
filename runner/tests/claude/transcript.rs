//! The recorded transcripts, and a person who answers as the one of the recording did.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nats::Timestamp;
use nats::event::{Decision, Verdict};
use nats::ids::{GateId, UserId};
use runner::agent::{Adapter, AgentEvent, Dialect};
use serde_json::Value;

pub(crate) struct Transcript {
    pub name: String,
    pub lines: Vec<Vec<u8>>,
    /// By the id of the request: the answer that was given in the recording.
    answers: BTreeMap<String, Value>,
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts")
}

/// All of them, in the order of their numbers.
pub(crate) fn all() -> Vec<Transcript> {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".jsonl").map(str::to_owned))
        .filter(|name| !name.ends_with(".stdin"))
        .collect();
    names.sort();
    names.iter().map(|name| Transcript::read(name)).collect()
}

impl Transcript {
    pub(crate) fn read(name: &str) -> Self {
        let lines_of = |ending: &str| {
            let path = folder().join(format!("{name}{ending}"));
            let text = std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            text.lines()
                .map(|line| line.as_bytes().to_vec())
                .collect::<Vec<_>>()
        };
        let answers = lines_of(".stdin.jsonl")
            .iter()
            .map(|line| serde_json::from_slice::<Value>(line).unwrap())
            .filter(|written| written["type"] == "control_response")
            .map(|written| {
                let response = &written["response"];
                (
                    response["request_id"].as_str().unwrap().to_owned(),
                    response["response"].clone(),
                )
            })
            .collect();
        Self {
            name: name.to_owned(),
            lines: lines_of(".jsonl"),
            answers,
        }
    }

    /// What a new adapter makes of it. `between` may do something to the adapter before each line.
    pub(crate) fn play(
        &self,
        mut between: impl FnMut(usize, Adapter) -> Adapter,
    ) -> Vec<AgentEvent> {
        let mut adapter = Adapter::new(Dialect::Claude);
        adapter.handshake(1);
        let mut events = Vec::new();
        for (number, line) in self.lines.iter().enumerate() {
            adapter = between(number, adapter);
            for event in adapter.line(line) {
                self.answer(&event, &mut adapter);
                events.push(event);
            }
        }
        events
    }

    /// Answers as in the recording, and holds the adapter to the bytes that were written then.
    fn answer(&self, event: &AgentEvent, adapter: &mut Adapter) {
        let AgentEvent::Asked(ask) = event else {
            return;
        };
        let Some(answer) = self.answers.get(&ask.request) else {
            return;
        };
        let decision = decision(answer, &ask.input);
        let input = adapter.answer(GateId::new(), &ask.request, &ask.input, &decision);
        let written: Value = serde_json::from_slice(&input.bytes).unwrap();
        assert_eq!(written["response"]["request_id"], ask.request.as_str());
        assert_eq!(
            written["response"]["response"], *answer,
            "{}: the answer is not what the recording had",
            self.name
        );
    }
}

/// The decision that a written answer came from.
fn decision(answer: &Value, asked: &Value) -> Decision {
    let given = &answer["updatedInput"];
    let answers = given["answers"].as_object();
    let verdict = match (answer["behavior"].as_str(), answers) {
        (Some("deny"), _) => Verdict::Deny,
        (_, Some(_)) => Verdict::Answer,
        (_, None) => Verdict::Allow,
    };
    Decision {
        verdict,
        reason: answer["message"].as_str().map(str::to_owned),
        input: (verdict == Verdict::Allow && given != asked).then(|| given.clone()),
        answers: answers.map(|answers| answers.clone().into_iter().collect()),
        ..plain(verdict)
    }
}

/// A decision with nothing to it but its verdict.
pub(crate) fn plain(verdict: Verdict) -> Decision {
    Decision {
        verdict,
        reason: None,
        input: None,
        answers: None,
        input_hash: String::new(),
        by: UserId::new(),
        by_name: "Ada".to_owned(),
        at: Timestamp::now(),
    }
}
