//! Sessions: started, watched, decided on. Every wait has a bound and says what it saw last.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::installation::Fleet;
use crate::wait;

/// For anything that one session does.
pub const BOUND: Duration = Duration::from_secs(90);

impl Fleet {
    /// Starts a session on the first project and returns its id.
    pub async fn start_session(&self, agent: &str, prompt: &str) -> String {
        let project = self.project().await;
        let body = json!({"project": project, "agent": agent, "prompt": prompt});
        let session = self.post("/api/sessions", body).await;
        session["id"]
            .as_str()
            .expect("a session has an id")
            .to_owned()
    }

    /// The id of the first project, once the host has reported it.
    pub async fn project(&self) -> String {
        wait::until("a project", BOUND, async || {
            let projects = self.get("/api/projects").await;
            projects["items"][0]["id"]
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| projects.to_string())
        })
        .await
    }

    /// The oldest pending gate of a session, once there is one.
    pub async fn gate(&self, session: &str) -> Value {
        wait::until("a pending gate", BOUND, async || {
            let gates = self
                .try_get(&format!("/api/gates?state=pending&session={session}"))
                .await?;
            match gates["items"].get(0) {
                Some(gate) => Ok(gate.clone()),
                None => Err(format!(
                    "{gates}; the session said {}",
                    self.said(session).await
                )),
            }
        })
        .await
    }

    /// Decides a gate, and expects that it is taken.
    pub async fn decide(&self, gate: &Value, decision: Value) -> Value {
        let id = gate["id"].as_str().expect("a gate has an id");
        self.post(&format!("/api/gates/{id}/decision"), decision)
            .await
    }

    /// Allows whatever the session asks until it is idle, and returns how many gates that were.
    pub async fn allow_all(&self, session: &str) -> usize {
        let mut allowed = 0;
        loop {
            let next = wait::until("a gate or the end of the turn", BOUND, async || {
                let gates = self
                    .try_get(&format!("/api/gates?state=pending&session={session}"))
                    .await?;
                if let Some(gate) = gates["items"].get(0) {
                    return Ok(Some(gate.clone()));
                }
                let state = self.state(session).await?;
                if state == "idle" {
                    Ok(None)
                } else {
                    Err(format!("{state}: {}", self.said(session).await))
                }
            })
            .await;
            let Some(gate) = next else { return allowed };
            let decision = match gate["questions"][0]["question"].as_str() {
                Some(question) => {
                    let answer = gate["questions"][0]["options"][0]["label"].clone();
                    json!({"decision": "answer", "answers": {question: answer}})
                }
                None => json!({"decision": "allow"}),
            };
            self.decide(&gate, decision).await;
            allowed += 1;
        }
    }

    /// Waits until the session is in one of `states`.
    pub async fn wait_state(&self, session: &str, states: &[&str]) {
        wait::until(
            &format!("the session to be {}", states.join(" or ")),
            BOUND,
            async || {
                let state = self.state(session).await?;
                if states.contains(&state.as_str()) {
                    return Ok(());
                }
                Err(format!("{state}: {}", self.said(session).await))
            },
        )
        .await;
    }

    /// Every event of a session so far, in order.
    pub async fn events(&self, session: &str) -> Vec<Value> {
        let mut events: Vec<Value> = Vec::new();
        loop {
            let after = events
                .last()
                .and_then(|event| event["seq"].as_u64())
                .unwrap_or(0);
            let page = self
                .get(&format!(
                    "/api/sessions/{session}/events?after={after}&limit=500"
                ))
                .await;
            let items = page["items"]
                .as_array()
                .expect("events come as items")
                .clone();
            if items.is_empty() {
                return events;
            }
            events.extend(items);
        }
    }

    /// Waits for an event that `matches`.
    pub async fn wait_event(
        &self,
        session: &str,
        what: &str,
        matches: impl Fn(&Value) -> bool,
    ) -> Value {
        wait::until(what, BOUND, async || {
            let events = self.events(session).await;
            match events.iter().find(|event| matches(event)) {
                Some(event) => Ok(event.clone()),
                None => Err(self.said(session).await),
            }
        })
        .await
    }

    /// `seq` is 1, 2, 3 … without a hole or a double.
    pub async fn assert_contiguous(&self, session: &str) {
        let seqs: Vec<u64> = self
            .events(session)
            .await
            .iter()
            .filter_map(|event| event["seq"].as_u64())
            .collect();
        let expected: Vec<u64> = (1..=seqs.len() as u64).collect();
        assert_eq!(seqs, expected, "the log has a hole or a double");
    }

    /// The session's own worktree.
    pub async fn worktree(&self, session: &str) -> PathBuf {
        let opened = self
            .wait_event(session, "the session to be opened", |event| {
                event["type"] == "session.opened"
            })
            .await;
        PathBuf::from(
            opened["data"]["worktree"]
                .as_str()
                .expect("an opened session has a worktree"),
        )
    }

    /// A few words per event, for messages of failed tests.
    pub async fn said(&self, session: &str) -> String {
        let path = format!("/api/sessions/{session}/events?limit=500");
        let Ok(page) = self.try_get(&path).await else {
            return "nothing".to_owned();
        };
        let items = page["items"].as_array().cloned().unwrap_or_default();
        let lines = items
            .iter()
            .map(|event| format!("{} {} {}", event["seq"], event["type"], event["data"]));
        lines.collect::<Vec<_>>().join("\n")
    }

    async fn state(&self, session: &str) -> Result<String, String> {
        let row = self.try_get(&format!("/api/sessions/{session}")).await?;
        row["state"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| row.to_string())
    }
}
