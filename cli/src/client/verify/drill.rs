//! One session with the rehearsal agent, gone through as a person would: read along, allow, deny, look at the result.

use nats::ids::{AuditId, CommandId, SessionId};
use serde_json::{Value, json};

use super::fleet::AGENT;
use super::report::{Passed, passed};
use super::tail::Tail;
use crate::client::exit::Error;
use crate::client::server::Server;
use crate::client::view::GateView;
use crate::client::visible::one_line;

/// What is allowed to be written, and what is not allowed to be.
const WRITTEN: &str = "flotilla-verify.txt";
const FORBIDDEN: &str = "flotilla-verify-denied.txt";
/// So many words, so far apart, that text is seen before it is whole.
const WORDS: u32 = 40;
const WORD_GAP_MS: u32 = 10;
/// Small, so that even this session takes several pages.
const EVENTS_PER_PAGE: usize = 7;

pub(super) struct Drill<'a> {
    server: &'a Server,
    session: SessionId,
    tail: Tail,
}

impl<'a> Drill<'a> {
    /// A session is accepted. From here on there is something to clean up.
    pub(super) async fn start(server: &'a Server, host: &str, project: &str) -> Passed<Self> {
        let session = SessionId::new();
        let body = json!({
            "id": session, "project": project, "host": host, "agent": AGENT, "title": "flotilla verify",
            "prompt_id": CommandId::new(), "prompt": script(session),
        });
        server.post(&["api", "sessions"], &body).await?;
        let drill = Self {
            server,
            session,
            tail: Tail::open(server, session).await?,
        };
        passed(drill, session.to_string())
    }

    /// Its host has it, in a worktree of its own.
    pub(super) async fn opened(&mut self) -> Passed<()> {
        let opened = self
            .tail
            .until(|event| event["type"] == "session.opened")
            .await?;
        let branch = opened["data"]["branch"].as_str().map(one_line);
        passed((), format!("opened on {}", branch.unwrap_or_default()))
    }

    /// Text arrives while it is written, and is whole in the end.
    pub(super) async fn stream(&mut self) -> Passed<()> {
        let message = self
            .tail
            .until(|event| event["type"] == "message.assistant")
            .await?;
        let text = message["data"]["text"].as_str().unwrap_or_default();
        let words = text.split_whitespace().count();
        if words != WORDS as usize {
            return Err(unexpected(format!(
                "{WORDS} words were streamed, and {words} recorded"
            )));
        }
        match self.tail.live {
            0 => Err(Error::unproven(
                "the text came only when it was whole, none of it while it was written",
                "a proxy that gathers answers before it passes them on?",
            )),
            live => passed(
                (),
                format!("{WORDS} words, seen in {live} parts while they were written"),
            ),
        }
    }

    /// A tool call waits for a person, and everybody who asks is told.
    pub(super) async fn gate(&mut self, tool: &str) -> Passed<GateView> {
        let opened = self
            .tail
            .until(|event| event["type"] == "gate.opened" && event["data"]["tool"] == tool)
            .await?;
        let id = opened["data"]["gate"].as_str().unwrap_or_default();
        let session = self.session.to_string();
        let pending = [("state", "pending"), ("session", &session)];
        let pending = self.server.list(&["api", "gates"], &pending).await?;
        let listed = pending.iter().find(|gate| gate["id"] == id);
        let listed =
            listed.ok_or_else(|| unexpected(format!("{id} is open, and not listed as pending")))?;
        let gate: GateView = self.server.view(listed)?;
        let summary = one_line(&gate.summary);
        passed(gate, summary)
    }

    /// The decision is recorded, and then the agent is told.
    pub(super) async fn allow(&mut self, gate: &GateView) -> Passed<()> {
        self.decide(gate, json!({ "decision": "allow" })).await?;
        let id = gate.id.to_string();
        let ours = |event: &Value| event["type"] == "tool.released" && event["data"]["gate"] == id;
        let released = self.tail.until(ours).await?;
        if released["data"]["allowed"] != true {
            return Err(unexpected(
                "it was allowed, and the agent was told otherwise".to_owned(),
            ));
        }
        passed((), "recorded, then released")
    }

    /// What was allowed is done, and shown.
    pub(super) async fn file(&mut self, gate: &GateView) -> Passed<()> {
        let call = self.call(gate)?;
        let ended = self
            .tail
            .until(|event| event["type"] == "tool.finished" && event["data"]["tool_use"] == call);
        let outcome = ended.await?["data"]["outcome"].clone();
        if outcome != "succeeded" {
            return Err(unexpected(format!("it was allowed, and came to {outcome}")));
        }
        let seen =
            |event: &Value| event["type"] == "file.changed" && event["data"]["path"] == WRITTEN;
        self.tail.until(seen).await?;
        if !self.changed().await?.iter().any(|path| path == WRITTEN) {
            return Err(unexpected(format!(
                "{WRITTEN} was written, and is not among the changes"
            )));
        }
        passed((), format!("{WRITTEN}, in a worktree of its own"))
    }

    /// What was not allowed is refused, and the agent goes on.
    pub(super) async fn deny(&mut self, gate: &GateView) -> Passed<()> {
        let decision = json!({ "decision": "deny", "reason": "This is only flotilla verify." });
        self.decide(gate, decision).await?;
        let call = self.call(gate)?;
        let ended = self
            .tail
            .until(|event| event["type"] == "tool.finished" && event["data"]["tool_use"] == call);
        let outcome = ended.await?["data"]["outcome"].clone();
        if outcome != "denied" {
            return Err(unexpected(format!("it was denied, and came to {outcome}")));
        }
        passed((), "the command was not run")
    }

    /// The turn is over, the session is at rest, and nothing else was done.
    pub(super) async fn rest(&mut self) -> Passed<()> {
        let turn = self
            .tail
            .until(|event| event["type"] == "turn.finished")
            .await?;
        let outcome = turn["data"]["outcome"].clone();
        if outcome != "completed" {
            return Err(unexpected(format!("the turn ended as {outcome}")));
        }
        self.tail
            .until(|event| {
                event["type"] == "session.state"
                    && event["data"]["state"] == "idle"
                    && event["seq"].as_u64() > turn["seq"].as_u64()
            })
            .await?;
        let session = self
            .server
            .get(&["api", "sessions", &self.session.to_string()], &[])
            .await?;
        if session["state"] != "idle" {
            return Err(unexpected(format!(
                "its host says idle, and the list says {}",
                session["state"]
            )));
        }
        let changed = self.changed().await?;
        if changed != [WRITTEN] {
            return Err(unexpected(format!(
                "one file was allowed, and changed are {}",
                changed.join(", ")
            )));
        }
        passed((), "idle, and nothing else was changed")
    }

    /// Read again page by page, it is what was seen, without a hole.
    pub(super) async fn replay(&mut self) -> Passed<()> {
        let session = self.session.to_string();
        let limit = EVENTS_PER_PAGE.to_string();
        let (mut read, mut pages) = (Vec::<Value>::new(), 0);
        while read.len() < self.tail.events.len() {
            let after = read.len().to_string();
            let query = [("after", after.as_str()), ("limit", limit.as_str())];
            let page = self
                .server
                .get(&["api", "sessions", &session, "events"], &query)
                .await?;
            let items = page["items"].as_array().filter(|items| !items.is_empty());
            let items =
                items.ok_or_else(|| unexpected(format!("nothing comes after event {after}")))?;
            read.extend(items.iter().cloned());
            pages += 1;
        }
        for (index, seen) in self.tail.events.iter().enumerate() {
            let number = index as u64 + 1;
            if read[index]["seq"] != number || *seen != read[index] {
                return Err(unexpected(format!(
                    "event {number} read again is not what was seen"
                )));
            }
        }
        passed(
            (),
            format!(
                "{} events in {pages} pages, as they were seen",
                self.tail.events.len()
            ),
        )
    }

    /// Each decision is on record once, with its person.
    pub(super) async fn audit(&mut self, gates: &[&GateView]) -> Passed<()> {
        let session = self.session.to_string();
        let rows = self
            .server
            .list(&["api", "audit"], &[("session", &session)])
            .await?;
        for gate in gates {
            let id = gate.id.to_string();
            let decisions = rows
                .iter()
                .filter(|row| row["action"] == "decision" && row["gate"] == id);
            let decisions: Vec<&Value> = decisions.collect();
            let [decision] = decisions[..] else {
                let found = decisions.len();
                return Err(unexpected(format!(
                    "{id} was decided once, and is on record {found} times"
                )));
            };
            if !decision["by"].is_string() {
                return Err(unexpected(format!(
                    "nobody is named for the decision of {id}"
                )));
            }
        }
        passed(
            (),
            format!("{} decisions on record, each once", gates.len()),
        )
    }

    /// The session is ended. Its worktree and branch stay, as those of every session do.
    pub(super) async fn clean_up(&mut self) -> Passed<()> {
        let path = ["api", "sessions", &self.session.to_string(), "stop"];
        self.server
            .post(&path, &json!({ "id": CommandId::new() }))
            .await?;
        self.tail
            .until(|event| event["type"] == "session.ended")
            .await?;
        passed((), "the session is ended")
    }

    async fn decide(&self, gate: &GateView, mut decision: Value) -> Result<(), Error> {
        decision["id"] = json!(AuditId::new());
        decision["input_hash"] = json!(gate.input_hash);
        let path = ["api", "gates", &gate.id.to_string(), "decision"];
        self.server.post(&path, &decision).await.map(|_| ())
    }

    /// The tool call that a gate was opened for.
    fn call(&self, gate: &GateView) -> Result<Value, Error> {
        let id = gate.id.to_string();
        let opened = self
            .tail
            .events
            .iter()
            .find(|event| event["type"] == "gate.opened" && event["data"]["gate"] == id);
        let call = opened.map(|event| event["data"]["tool_use"].clone());
        call.filter(Value::is_string)
            .ok_or_else(|| unexpected("the gate names no tool call".to_owned()))
    }

    /// The paths of what the session changed.
    async fn changed(&self) -> Result<Vec<String>, Error> {
        let diff = self
            .server
            .get(&["api", "sessions", &self.session.to_string(), "diff"], &[])
            .await?;
        let files = diff["files"].as_array().cloned().unwrap_or_default();
        Ok(files
            .iter()
            .filter_map(|file| file["path"].as_str().map(one_line))
            .collect())
    }
}

fn script(session: SessionId) -> String {
    format!(
        "stream {WORDS} {WORD_GAP_MS}\nwrite {WRITTEN} {session}\nrun touch {FORBIDDEN}\nsay done"
    )
}

fn unexpected(message: String) -> Error {
    Error::unproven(
        message,
        "this is a defect of Flotilla: please report it with `flotilla session show latest --events --json`",
    )
}
