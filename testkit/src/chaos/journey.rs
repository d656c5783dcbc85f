//! One session on its way through a fault: brought to the moment, left to its fate, and helped by a person to its end.

use std::time::Duration;

use futures::StreamExt as _;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::calm::Calm;
use super::ground::Ground;
use super::ledger::Ledger;
use super::moment::Moment;
use super::person::{Answer, How, Person, Setback};
use crate::fleet::Fleet;

/// For the first words of a text, when nothing is wrong.
const TEXT_BOUND: Duration = Duration::from_secs(90);
/// How often a person says how to go on before giving up.
const CONTINUES_MAX: usize = 3;

/// One tool call that the script makes, and what a person will say of it.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub token: String,
    pub allow: bool,
    /// The gates of which a coordinator has said that it has the decision: more than one when the call is asked again.
    pub decided: Vec<String>,
    /// It was in the ledger before anybody had decided.
    pub ran_undecided: bool,
}

pub(super) struct Journey<'a> {
    fleet: &'a Fleet,
    person: Person<'a>,
    ledger: &'a Ledger,
    calm: &'a Calm,
    pub moment: Moment,
    pub session: String,
    pub calls: Vec<Call>,
    /// Ids of the messages that were accepted after the prompt.
    pub messages: Vec<String>,
    /// What was not accepted at once.
    pub setbacks: Vec<Setback>,
    /// The gate that was pending at the moment.
    pub gate_before: Option<String>,
}

/// Which of the calls is struck.
const STRUCK: usize = 1;

impl<'a> Journey<'a> {
    /// Starts a session. With `deny` the struck call is denied and the last one allowed, else the other way round.
    pub(super) async fn start(
        ground: &'a Ground,
        ledger: &'a Ledger,
        calm: &'a Calm,
        agent: &str,
        moment: Moment,
        name: &str,
        deny: bool,
    ) -> Self {
        let deny = deny && moment != Moment::ToolRunning;
        let call = |which: &str, allow: bool| Call {
            token: format!("{name}-{which}"),
            allow,
            decided: Vec::new(),
            ran_undecided: false,
        };
        let calls = vec![
            call("first", true),
            call("struck", !deny),
            call("last", deny),
        ];
        let struck = match moment {
            Moment::ToolRunning => ledger.held_step(&calls[STRUCK].token),
            _ => ledger.step(&calls[STRUCK].token),
        };
        let prompt = moment.prompt(
            &ledger.step(&calls[0].token),
            &struck,
            &ledger.step(&calls[2].token),
        );
        let fleet = &ground.fleet;
        let session = fleet.start_session(agent, &prompt).await;
        Self {
            fleet,
            person: Person::new(fleet, ground.doors()),
            ledger,
            calm,
            moment,
            session,
            calls,
            messages: Vec::new(),
            setbacks: Vec::new(),
            gate_before: None,
        }
    }

    /// Goes on until the moment is observed. `Err` says how it was missed.
    pub(super) async fn reach(&mut self) -> Result<(), String> {
        if self.moment == Moment::MidDelta {
            self.calls.remove(0);
            return self.see_live_text().await;
        }
        let gate = self.pending(0).await;
        self.decide(0, &gate).await;
        match self.moment {
            Moment::MidDelta => {}
            Moment::GateOpen | Moment::DecisionInFlight => {
                let gate = self.pending(STRUCK).await;
                self.gate_before = gate["id"].as_str().map(str::to_owned);
            }
            Moment::ToolRunning => {
                let gate = self.pending(STRUCK).await;
                self.gate_before = gate["id"].as_str().map(str::to_owned);
                self.decide(STRUCK, &gate).await;
                let token = self.calls[STRUCK].token.clone();
                let begun = async || match self.ledger.begun(&token) {
                    0 => Err("no mark".to_owned()),
                    _ => Ok(()),
                };
                self.calm.until("the mark of the command", begun).await;
            }
            Moment::MessageInFlight | Moment::Idle => self.wait_idle().await,
        }
        Ok(())
    }

    /// Whether the moment is not over while others were waited for.
    pub(super) async fn is_still_there(&self) -> Result<(), String> {
        if self.moment != Moment::MidDelta {
            return Ok(());
        }
        let events = self.events().await;
        if events.iter().any(|it| it["type"] == "message.assistant") {
            return Err("the text was whole before the fault".to_owned());
        }
        Ok(())
    }

    /// Sends what is to be struck on its way, for as long as it takes to be accepted.
    pub(super) async fn send(&mut self) {
        if self.moment == Moment::MessageInFlight {
            let tokens: Vec<String> = self.calls[STRUCK..]
                .iter()
                .map(|call| call.token.clone())
                .collect();
            return self.go_on(&tokens).await;
        }
        let gate = json!({"id": self.gate_before});
        self.decide(STRUCK, &gate).await;
    }

    /// Decides whatever is asked, says "go on" where the agent has stopped, and returns when all is done.
    pub(super) async fn finish(&mut self) -> Instant {
        self.ledger.let_go();
        loop {
            match self.look().await {
                Look::Ask(index, gate) => self.decide(index, &gate).await,
                Look::Rest(unsettled) if unsettled.is_empty() => return Instant::now(),
                Look::Rest(unsettled) => self.go_on(&unsettled).await,
            }
        }
    }

    /// Every event, as the coordinator now tells it.
    pub(super) async fn events(&self) -> Vec<Value> {
        // A fault that has just ended may have left a coordinator that is only starting.
        let ready = async || self.fleet.try_get("/readyz").await.map(|_| ());
        self.calm.until("the coordinator to be ready", ready).await;
        self.fleet.events(&self.session).await
    }

    /// The log in a few words, as far as anybody tells it.
    pub(super) async fn said(&self) -> String {
        self.fleet.said(&self.session).await
    }

    /// Ends the session, which is not needed any more. Nothing depends on it.
    pub(super) async fn leave(&self) {
        let path = format!("/api/sessions/{}/stop", self.session);
        self.person.ask(Method::POST, &path, Some(json!({}))).await;
    }

    async fn look(&self) -> Look {
        let look = async || {
            let path = format!("/api/gates?state=pending&session={}", self.session);
            let gates = self.person.get(&path).await?;
            for gate in gates["items"].as_array().into_iter().flatten() {
                let id = gate["id"].as_str().unwrap_or_default();
                let found = self
                    .calls
                    .iter()
                    .position(|call| speaks_of(&gate["input"], &call.token));
                if let Some(index) =
                    found.filter(|index| !self.calls[*index].decided.iter().any(|it| it == id))
                {
                    return Ok(Look::Ask(index, gate.clone()));
                }
            }
            let row = self
                .person
                .get(&format!("/api/sessions/{}", self.session))
                .await?;
            let state = row["state"].as_str().unwrap_or_default().to_owned();
            if state != "idle" && state != "asleep" {
                return Err(state);
            }
            let path = format!("/api/sessions/{}/events?limit=500", self.session);
            let page = self.person.get(&path).await?;
            let events = page["items"].as_array().cloned().unwrap_or_default();
            if events.last().map(|event| &event["seq"]) != Some(&row["last_seq"])
                && row["last_seq"].is_number()
            {
                return Err("the tail is not here yet".to_owned());
            }
            if self.messages.iter().any(|id| !settled_message(&events, id)) {
                return Err("a message waits".to_owned());
            }
            let open = |call: &&Call| !finished(&events, &call.token);
            Ok(Look::Rest(
                self.calls
                    .iter()
                    .filter(open)
                    .map(|call| call.token.clone())
                    .collect(),
            ))
        };
        self.calm.until("a gate or the end of it all", look).await
    }

    /// What a person says to an agent that has stopped before it was done, or that waits for work.
    async fn go_on(&mut self, unsettled: &[String]) {
        assert!(
            self.messages.len() < CONTINUES_MAX,
            "the session stops again and again before {unsettled:?}"
        );
        let steps: Vec<String> = unsettled
            .iter()
            .map(|token| self.ledger.step(token))
            .collect();
        let text = format!("{}\nsay on", steps.join("\n"));
        let id = format!("cmd_{}", uuid::Uuid::now_v7().simple());
        let path = format!("/api/sessions/{}/messages", self.session);
        let body = json!({"id": id, "text": text});
        self.insist(&path, &body, |_, _| false).await;
        self.messages.push(id);
    }

    async fn decide(&mut self, index: usize, gate: &Value) {
        let call = &self.calls[index];
        let id = gate["id"].as_str().expect("a gate has an id").to_owned();
        let ran = self.ledger.count(&call.token) + self.ledger.begun(&call.token) > 0;
        // Asked once more, a person looks whether it ran before they say yes again.
        let asked_before = !call.decided.is_empty();
        let body = if call.allow && !(asked_before && ran) {
            json!({"decision": "allow"})
        } else {
            json!({"decision": "deny", "reason": "not this one"})
        };
        let path = format!("/api/gates/{id}/decision");
        // An answer that was lost leaves the decision with us: the second try is told so.
        let ours = |status: StatusCode, answer: &Value| {
            status == StatusCode::CONFLICT && answer["error"]["code"] == "already_decided"
        };
        self.insist(&path, &body, ours).await;
        let call = &mut self.calls[index];
        call.ran_undecided |= ran && !asked_before;
        call.decided.push(id);
    }

    /// Sends a request until it is taken, as a browser does.
    async fn insist(
        &mut self,
        path: &str,
        body: &Value,
        also: impl Fn(StatusCode, &Value) -> bool,
    ) {
        let mut setbacks = Vec::new();
        let taken = async || {
            let body = Some(body.clone());
            let (how, words) = match self.person.ask(Method::POST, path, body).await {
                Answer::Said(status, answer) if status.is_success() || also(status, &answer) => {
                    return Ok(());
                }
                Answer::Said(status, answer) => (How::Refused, format!("{status}: {answer}")),
                Answer::NobodyThere(words) => (How::NobodyThere, words),
                Answer::CutOff(words) => (How::CutOff, words),
            };
            let words = format!("{path} answered {words}");
            setbacks.push(Setback {
                how,
                words: words.clone(),
            });
            Err(words)
        };
        self.calm.until("a request to be taken", taken).await;
        self.setbacks.extend(setbacks);
    }

    async fn pending(&self, index: usize) -> Value {
        let token = self.calls[index].token.clone();
        let pending = async || {
            let path = format!("/api/gates?state=pending&session={}", self.session);
            let gates = self.person.get(&path).await?;
            let mut items = gates["items"].as_array().into_iter().flatten();
            items
                .find(|gate| speaks_of(&gate["input"], &token))
                .cloned()
                .ok_or_else(|| gates.to_string())
        };
        self.calm.until("the gate of a call", pending).await
    }

    async fn wait_idle(&self) {
        let idle = async || {
            let row = self
                .person
                .get(&format!("/api/sessions/{}", self.session))
                .await?;
            if row["state"] == "idle" {
                Ok(())
            } else {
                Err(row.to_string())
            }
        };
        self.calm.until("the session to be idle", idle).await;
    }

    async fn see_live_text(&self) -> Result<(), String> {
        let url = format!("{}/api/sessions/{}/events", self.fleet.url(), self.session);
        let stream = reqwest::Client::new()
            .get(url)
            .bearer_auth(self.fleet.token())
            .header("Accept", "text/event-stream")
            .send()
            .await
            .expect("the coordinator answers");
        let mut stream = stream.bytes_stream();
        let mut seen = String::new();
        let found = tokio::time::timeout(TEXT_BOUND, async {
            while let Some(Ok(bytes)) = stream.next().await {
                seen.push_str(&String::from_utf8_lossy(&bytes));
                if seen.contains("event: live") || seen.contains("event:live") {
                    return true;
                }
            }
            false
        })
        .await;
        if seen.contains("message.assistant") {
            return Err("the text was whole before anybody listened".to_owned());
        }
        if found == Ok(true) {
            Ok(())
        } else {
            Err(format!("no live text came; there was {seen}"))
        }
    }
}

enum Look {
    Ask(usize, Value),
    /// At rest; these tokens are still to be run or denied.
    Rest(Vec<String>),
}

/// Whether a call's input carries a token.
pub(super) fn speaks_of(input: &Value, token: &str) -> bool {
    let command = input["command"].as_str().unwrap_or_default();
    command.split_whitespace().any(|word| word == token)
}

/// The ids that an agent gave to the calls of a token.
pub(super) fn calls_of(events: &[Value], token: &str) -> Vec<String> {
    events
        .iter()
        .filter(|event| event["type"] == "tool.requested")
        .filter(|event| speaks_of(&event["data"]["input"], token))
        .filter_map(|event| event["data"]["tool_use"].as_str().map(str::to_owned))
        .collect()
}

/// Ran, was denied, or may have run: nothing that a person would ask for once more.
fn finished(events: &[Value], token: &str) -> bool {
    let calls = calls_of(events, token);
    events.iter().any(|event| {
        event["type"] == "tool.finished"
            && event["data"]["outcome"] != "interrupted"
            && event["data"]["tool_use"]
                .as_str()
                .is_some_and(|id| calls.iter().any(|call| call == id))
    })
}

/// The turn of a message is over.
fn settled_message(events: &[Value], id: &str) -> bool {
    let turns: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "turn.started" && event["data"]["command"] == id)
        .map(|event| &event["data"]["turn"])
        .collect();
    events
        .iter()
        .any(|event| event["type"] == "turn.finished" && turns.contains(&&event["data"]["turn"]))
}
