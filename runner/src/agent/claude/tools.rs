//! Tool calls, from the wish to the result, and whose they are.
//!
//! Owns what is known of each call that has no result yet: the dialect's results say neither whether a person
//! refused nor whether somebody interrupted, so both are remembered here. Knows nothing of gates.

use std::collections::BTreeMap;

use nats::event::ToolOutcome;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::protocol::{Block, Carried, Content, ResultMeta};
use super::translate::Adapter;
use crate::agent::{AgentEvent, FilesTouched};

/// Tools that read, look up or talk, and cannot change a file of the worktree.
const HARMLESS: [&str; 22] = [
    "AskUserQuestion",
    "CronCreate",
    "CronDelete",
    "CronList",
    "EnterPlanMode",
    "ExitPlanMode",
    "Glob",
    "Grep",
    "ListAgents",
    "Read",
    "ReportFindings",
    "ScheduleWakeup",
    "SendMessage",
    "TaskCreate",
    "TaskGet",
    "TaskList",
    "TaskOutput",
    "TaskUpdate",
    "TodoWrite",
    "ToolSearch",
    "WebFetch",
    "WebSearch",
];

/// Calls without a result, by the agent's id of the call; and which call each subagent at work comes from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Calls {
    open: BTreeMap<String, Call>,
    agents: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Call {
    tool: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    #[serde(default, skip_serializing_if = "Fate::is_open")]
    fate: Fate,
    /// Made by a process that is gone; it may be asked again by the next one, until that ends a turn.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    inherited: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fate {
    #[default]
    Open,
    /// A person said no.
    Denied,
    /// The agent took its asking back.
    Withdrawn,
}

impl Fate {
    fn is_open(&self) -> bool {
        *self == Self::Open
    }
}

impl Calls {
    /// Tells of a call once, however often it is seen: a call may be asked for before it was announced.
    pub fn requested(
        &mut self,
        tool_use: String,
        tool: String,
        input: Value,
        parent: Option<String>,
        events: &mut Vec<AgentEvent>,
    ) {
        if let Some(call) = self.open.get_mut(&tool_use) {
            call.inherited = false;
            return;
        }
        let call = Call {
            tool: tool.clone(),
            parent: parent.clone(),
            ..Call::default()
        };
        self.open.insert(tool_use.clone(), call);
        events.push(AgentEvent::ToolRequested {
            tool_use,
            tool,
            input,
            parent,
        });
    }

    /// The call of the subagent that made `tool_use`, or that `agent` is.
    pub fn parent(&self, tool_use: &str, agent: Option<&str>) -> Option<String> {
        let announced = self.open.get(tool_use).and_then(|call| call.parent.clone());
        announced.or_else(|| self.agents.get(agent?).cloned())
    }

    pub fn denied(&mut self, tool_use: &str) {
        self.meets(tool_use, Fate::Denied);
    }

    pub fn withdrawn(&mut self, tool_use: &str) {
        self.meets(tool_use, Fate::Withdrawn);
    }

    pub fn agent_is_known(&mut self, agent: Option<&str>, tool_use: Option<&str>) {
        if let (Some(agent), Some(tool_use)) = (agent, tool_use) {
            self.agents.insert(agent.to_owned(), tool_use.to_owned());
        }
    }

    pub fn agent_is_done(&mut self, agent: Option<&str>) {
        self.agents.remove(agent.unwrap_or_default());
    }

    pub fn process_is_new(&mut self) {
        self.agents.clear();
        for call in self.open.values_mut() {
            call.inherited = true;
            call.fate = Fate::Open;
        }
    }

    /// What the process before left open and this one has not asked again will not come any more.
    pub fn turn_ended(&mut self) {
        self.open.retain(|_, call| !call.inherited);
    }

    fn meets(&mut self, tool_use: &str, fate: Fate) {
        if let Some(call) = self.open.get_mut(tool_use) {
            call.fate = fate;
        }
    }
}

impl Adapter {
    pub(super) fn tools_finished(&mut self, carried: Carried, events: &mut Vec<AgentEvent>) {
        for block in carried.message.content.blocks() {
            let Block::ToolResult {
                tool_use_id,
                content,
                is_error,
            } = block
            else {
                continue;
            };
            self.asks.call_ended(&tool_use_id);
            let call = self.calls.open.remove(&tool_use_id).unwrap_or_default();
            let outcome = self.outcome(&call, is_error, &tool_use_id, &carried.tool_result_meta);
            events.push(AgentEvent::ToolFinished {
                tool_use: tool_use_id,
                outcome,
                output: text_of(content),
                files: files_touched(&call),
            });
        }
    }

    fn outcome(
        &self,
        call: &Call,
        is_error: bool,
        tool_use: &str,
        meta: &[ResultMeta],
    ) -> ToolOutcome {
        let rejected = meta.iter().any(|meta| {
            meta.id == tool_use && meta.non_execution_kind.as_deref() == Some("user-rejected")
        });
        match call.fate {
            _ if !is_error => ToolOutcome::Succeeded,
            Fate::Denied => ToolOutcome::Denied,
            Fate::Withdrawn => ToolOutcome::Interrupted,
            // The agent's word for "stopped by the user"; a person's no has a fate of its own.
            Fate::Open if rejected || self.interrupted => ToolOutcome::Interrupted,
            Fate::Open => ToolOutcome::Failed,
        }
    }
}

fn files_touched(call: &Call) -> FilesTouched {
    // A call that was never released cannot have run.
    if call.fate.is_open() && !HARMLESS.contains(&call.tool.as_str()) {
        FilesTouched::Perhaps
    } else {
        FilesTouched::No
    }
}

fn text_of(content: Content) -> String {
    let texts = content.blocks().into_iter().map(|block| match block {
        Block::Text { text } => text,
        Block::Image => "[an image]".to_owned(),
        Block::Thinking { .. }
        | Block::ToolUse { .. }
        | Block::ToolResult { .. }
        | Block::Other => "[not text]".to_owned(),
    });
    texts.collect::<Vec<_>>().join("\n")
}
