//! What the agent asks of us: the permission to use a tool, an answer, an approval; and anything else, refused.
//!
//! Every asking is open until its call ends, it is answered, or the agent takes it back. Owns that map. It
//! deliberately knows no gate: several askings may be open at once, also while no turn runs.

use std::collections::BTreeMap;

use nats::event::{Answer, Choice, GateKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::plan::plan;
use super::protocol::{Asking, ControlRequest};
use super::translate::Adapter;
use super::{describe, notices, write};
use crate::agent::{AgentEvent, Ask};

/// Open askings: the agent's id of the asking → its id of the call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Asks(BTreeMap<String, String>);

impl Asks {
    /// The call that `request` asks for.
    pub fn call(&self, request: &str) -> Option<&String> {
        self.0.get(request)
    }

    pub fn settled(&mut self, request: &str) {
        self.0.remove(request);
    }

    pub fn call_ended(&mut self, tool_use: &str) {
        self.0.retain(|_, asked| asked != tool_use);
    }
}

impl Adapter {
    pub(super) fn asked(&mut self, request: ControlRequest, events: &mut Vec<AgentEvent>) {
        let ControlRequest {
            request_id,
            request,
        } = request;
        if request_id.is_empty() {
            events.push(notices::refused_request(&request.subtype));
            return;
        }
        let complete = !request.tool_use_id.is_empty() && !request.tool_name.is_empty();
        if request.subtype != "can_use_tool" || !complete {
            let what = if request.subtype.is_empty() {
                "nothing at all"
            } else {
                &request.subtype
            };
            events.push(AgentEvent::Reply(write::refusal(&request_id, what)));
            events.push(notices::refused_request(what));
            return;
        }
        let again = self
            .asks
            .0
            .insert(request_id.clone(), request.tool_use_id.clone());
        if again.is_none() {
            self.opened(request_id, request, events);
        }
    }

    pub(super) fn ask_withdrawn(&mut self, request: &str, events: &mut Vec<AgentEvent>) {
        if let Some(tool_use) = self.asks.0.remove(request) {
            self.calls.withdrawn(&tool_use);
            events.push(AgentEvent::AskWithdrawn {
                request: request.to_owned(),
            });
        }
    }

    fn opened(&mut self, request: String, asking: Asking, events: &mut Vec<AgentEvent>) {
        let Asking {
            tool_name: tool,
            input,
            tool_use_id: tool_use,
            agent_id,
            ..
        } = &asking;
        let input = if input.is_null() {
            Value::Object(serde_json::Map::new())
        } else {
            input.clone()
        };
        let parent = self.calls.parent(tool_use, agent_id.as_deref());
        self.calls.requested(
            tool_use.clone(),
            tool.clone(),
            input.clone(),
            parent.clone(),
            events,
        );
        let questions = questions(tool, &input);
        let kind = match tool.as_str() {
            "AskUserQuestion" if !questions.is_empty() => GateKind::Question,
            "ExitPlanMode" => GateKind::Plan,
            _ => GateKind::Tool,
        };
        let described =
            describe::describe(tool, &input, self.about.folder.as_deref(), concern(&asking));
        events.push(AgentEvent::Asked(Ask {
            request,
            tool_use: tool_use.clone(),
            kind,
            tool: tool.clone(),
            plan: plan(&input).filter(|_| kind == GateKind::Plan),
            input,
            summary: described.summary,
            risks: described.risks,
            parent,
            questions,
        }));
    }
}

/// The agent's own worry about a call, in its words. That a rule of ours made it ask is none.
fn concern(asking: &Asking) -> Option<&str> {
    let worried = asking.decision_reason_type.as_deref() == Some("safetyCheck");
    asking.decision_reason.as_deref().filter(|_| worried)
}

fn questions(tool: &str, input: &Value) -> Vec<Choice> {
    let asked = input["questions"]
        .as_array()
        .filter(|_| tool == "AskUserQuestion");
    asked.into_iter().flatten().filter_map(question).collect()
}

fn question(asked: &Value) -> Option<Choice> {
    let options = asked["options"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    Some(Choice {
        question: asked["question"].as_str()?.to_owned(),
        header: asked["header"].as_str().unwrap_or_default().to_owned(),
        options: options.iter().filter_map(option).collect(),
        several: asked["multiSelect"].as_bool().unwrap_or_default(),
    })
}

fn option(offered: &Value) -> Option<Answer> {
    // An option may be a bare label.
    let label = offered["label"]
        .as_str()
        .or_else(|| offered.as_str())?
        .to_owned();
    Some(Answer {
        label,
        description: offered["description"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    })
}
