//! A plain NATS client with the printed credential reads what is going on. What it reads stands in
//! `docs/WATCHING.md`, so that the sample there is true; `FLOTILLA_WRITE_GENERATED=1` writes it anew.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt as _;
use serde_json::{Value, json};
use testkit::fleet::{Fleet, Options};
use testkit::repository::Repository;

const BOUND: Duration = Duration::from_secs(60);
const BEGIN: &str = "<!-- begin of the sample -->\n";
const END: &str = "<!-- end of the sample -->";

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_nats_client_reads_the_sample_in_the_docs() {
    let shop = Repository::new("shop")
        .file("README.md", "# Shop\n")
        .commit();
    let fleet = Fleet::start(Options {
        projects: vec![shop.path().to_owned()],
        ..Options::default()
    })
    .await;
    let ready = fleet.ready();
    let client =
        async_nats::ConnectOptions::with_credentials_file(ready["nats_creds"].as_str().unwrap())
            .await
            .unwrap()
            .connect(ready["nats_url"].as_str().unwrap())
            .await
            .unwrap();
    let mut everything = client.subscribe("fleet.>").await.unwrap();
    client.flush().await.unwrap();

    let session = fleet
        .start_session("rehearsal", "say I list the files.\nrun ls")
        .await;
    let gate = fleet.gate(&session).await;
    fleet.decide(&gate, json!({"decision": "allow"})).await;
    let mut plain = Plain::default();
    let mut lines = String::new();
    loop {
        let message = tokio::time::timeout(BOUND, everything.next())
            .await
            .unwrap()
            .unwrap();
        let body: Value = serde_json::from_slice(&message.payload).unwrap();
        assert!(
            body["type"].is_string() && body["at"].is_string(),
            "{body} does not say what and when"
        );
        assert_eq!(body["session"], session.as_str());
        let last = body["type"] == "turn.finished";
        // Live text comes when it comes; the order of everything else is given.
        if !message.subject.contains(".live.") {
            let subject = plain.text(&message.subject, "subject");
            let mut text = std::str::from_utf8(&message.payload).unwrap().to_owned();
            plain.apply(&body, "", &mut text);
            lines.push_str(&format!("{subject}\n{text}\n\n"));
        }
        if last {
            break;
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/WATCHING.md");
    let sample = format!("{BEGIN}```\n{}\n```\n", lines.trim_end());
    hold(&path, &sample);
}

fn hold(path: &PathBuf, sample: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    let (head, rest) = text.split_once(BEGIN).unwrap();
    let (_, tail) = rest.split_once(END).unwrap();
    let wanted = format!("{head}{sample}{END}{tail}");
    if std::env::var_os("FLOTILLA_WRITE_GENERATED").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    assert!(
        text == wanted || std::env::var_os("FLOTILLA_WRITE_GENERATED").is_some(),
        "docs/WATCHING.md is not what a client reads now; run this test with FLOTILLA_WRITE_GENERATED=1. It reads:\n{sample}"
    );
}

/// Makes what differs from run to run the same: ids, times, paths, hashes.
#[derive(Default)]
struct Plain {
    ids: BTreeMap<String, String>,
    counts: BTreeMap<String, usize>,
}

impl Plain {
    /// Changes the message's own text, so that the order of its fields stays the one on the wire.
    fn apply(&mut self, value: &Value, field: &str, text: &mut String) {
        match value {
            Value::Object(fields) => fields
                .iter()
                .for_each(|(name, value)| self.apply(value, name, text)),
            Value::Array(items) => items.iter().for_each(|item| self.apply(item, field, text)),
            Value::String(word) => {
                let plain = self.text(word, field);
                *text = text.replace(&value.to_string(), &json!(plain).to_string());
            }
            Value::Number(number) if field == "duration_ms" => {
                *text = text.replace(&format!("\"duration_ms\":{number}"), "\"duration_ms\":120");
            }
            Value::Number(_) | Value::Bool(_) | Value::Null => {}
        }
    }

    fn text(&mut self, text: &str, field: &str) -> String {
        match field {
            "at" => "2026-11-20T14:02:00.000Z".to_owned(),
            "host" => "vps-1".to_owned(),
            "base" => "4f0c…".to_owned(),
            "input_hash" => "9b1e…".to_owned(),
            "worktree" => "…/worktrees/shop/ses_1".to_owned(),
            "branch" => "flotilla/7f3a0c1d".to_owned(),
            "project" => "shop".to_owned(),
            "version" => "0.1.0".to_owned(),
            "subject" => {
                let mut tokens: Vec<String> = text.split('.').map(|token| self.id(token)).collect();
                tokens[1] = "vps-1".to_owned();
                tokens.join(".")
            }
            _ => self.id(text),
        }
    }

    /// `ses_0192…` becomes `ses_1`: the first of its kind that was met.
    fn id(&mut self, text: &str) -> String {
        let Some((prefix, rest)) = text.split_once('_') else {
            return text.to_owned();
        };
        let is_id = rest.len() >= 12
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_id || !prefix.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return text.to_owned();
        }
        if let Some(known) = self.ids.get(text) {
            return known.clone();
        }
        let count = self.counts.entry(prefix.to_owned()).or_default();
        *count += 1;
        let plain = format!("{prefix}_{count}");
        self.ids.insert(text.to_owned(), plain.clone());
        plain
    }
}
