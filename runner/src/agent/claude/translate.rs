//! Lines of stdout, one after the other, into house words.
//!
//! Owns the adapter's state and the order of what one line says; each topic keeps its own share of the state in
//! its own file. Knows no bytes to write but the few answers that no person needs to give.

use serde::{Deserialize, Serialize};

use super::about::About;
use super::asks::Asks;
use super::background::Background;
use super::blocks::Blocks;
use super::limit::Limits;
use super::notices;
use super::protocol::{
    Carried, Content, ControlResponse, Line, Spoken, StreamEvent, Streamed, System,
};
use super::results::Reckoning;
use super::tools::Calls;
use crate::agent::{AgentEvent, Input};

/// Lines that are no message are shown so often, then only counted: an agent that prints rubbish must not fill the log.
const UNREADABLE_SHOWN: u32 = 3;
/// How much of such a line is shown.
const UNREADABLE_CHARACTERS: usize = 200;

/// What must be remembered between lines. It is small, and stored after each of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Adapter {
    pub(super) about: About,
    pub(super) turn_runs: bool,
    /// The turn that runs was asked to stop: what its tools say from here on is no failure of theirs.
    pub(super) interrupted: bool,
    pub(super) blocks: Blocks,
    pub(super) calls: Calls,
    pub(super) asks: Asks,
    pub(super) reckoning: Reckoning,
    pub(super) limits: Limits,
    background: Background,
    unreadable: u32,
}

impl Adapter {
    /// Greets a new process. Of the one before stay its calls, which may be asked again, and what it said of itself.
    pub fn handshake(&mut self, generation: u32) -> Vec<Input> {
        self.turn_runs = false;
        self.interrupted = false;
        self.blocks = Blocks::default();
        self.asks = Asks::default();
        self.reckoning = Reckoning::default();
        self.limits = Limits::default();
        self.background = Background::default();
        self.calls.process_is_new();
        self.unreadable = 0;
        vec![super::write::handshake(generation)]
    }

    /// What one line says; nothing for most of them.
    pub fn line(&mut self, line: &[u8]) -> Vec<AgentEvent> {
        let mut events = Vec::new();
        if line.iter().all(u8::is_ascii_whitespace) {
            return events;
        }
        match serde_json::from_slice(line) {
            Ok(line) => self.read(line, &mut events),
            Err(_) => self.unreadable(line, &mut events),
        }
        events
    }

    fn read(&mut self, line: Line, events: &mut Vec<AgentEvent>) {
        match line {
            Line::System(system) => self.system(&system, events),
            Line::StreamEvent(streamed) => self.streamed(streamed, events),
            Line::Assistant(spoken) => self.spoken(*spoken, events),
            Line::User(carried) => self.carried(*carried, events),
            Line::Result(result) => self.turn_finished(*result, events),
            Line::RateLimitEvent(event) => self.limits.told(&event.rate_limit_info),
            Line::ControlRequest(request) => self.asked(*request, events),
            Line::ControlCancelRequest(cancel) => self.ask_withdrawn(&cancel.request_id, events),
            Line::ControlResponse(controlled) => self.controlled(controlled.response, events),
            Line::Other => {}
        }
    }

    /// Called at every sign of work, so that a turn which nobody asked for begins as well.
    pub(super) fn turn_begins(&mut self, events: &mut Vec<AgentEvent>) {
        if !self.turn_runs {
            self.turn_runs = true;
            self.interrupted = false;
            events.push(AgentEvent::TurnBegan);
        }
    }

    fn system(&mut self, system: &System, events: &mut Vec<AgentEvent>) {
        match system.subtype.as_str() {
            "init" => {
                // Sent at the beginning of every turn, and at no other time.
                events.extend(self.about.told(system));
                self.turn_begins(events);
            }
            "status" if system.status.is_some() => self.turn_begins(events),
            "task_started" => self
                .calls
                .agent_is_known(system.task_id.as_deref(), system.tool_use_id.as_deref()),
            "task_notification" => self.calls.agent_is_done(system.task_id.as_deref()),
            "compact_boundary" => self
                .reckoning
                .compacted(system.compact_metadata.post_tokens),
            _ => {}
        }
        events.extend(self.background.told(system));
        events.extend(notices::of(system));
    }

    fn streamed(&mut self, streamed: Streamed, events: &mut Vec<AgentEvent>) {
        let parent = streamed.parent_tool_use_id.as_deref();
        match streamed.event {
            StreamEvent::MessageStart { message } => {
                if parent.is_none() {
                    self.turn_begins(events);
                    self.reckoning.asked_model(&message);
                }
                self.reckoning.went_on(events);
                self.blocks.message_starts(parent, message.id, events);
            }
            StreamEvent::ContentBlockStart {
                index,
                content_block,
            } => {
                self.blocks
                    .block_starts(parent, index, &content_block, events);
            }
            StreamEvent::ContentBlockDelta { index, delta } => {
                self.blocks.delta(parent, index, delta, events)
            }
            StreamEvent::MessageDelta { usage } if parent.is_none() => {
                self.reckoning.model_said(&usage)
            }
            StreamEvent::MessageDelta { .. } | StreamEvent::Other => {}
        }
    }

    fn spoken(&mut self, spoken: Spoken, events: &mut Vec<AgentEvent>) {
        let parent = spoken.parent_tool_use_id;
        if parent.is_none() {
            self.turn_begins(events);
            if spoken.error.is_some() {
                // The agent's own words about its endpoint: the turn's error, and not also a message.
                self.reckoning.endpoint_failed(spoken.message.content);
                return;
            }
        }
        self.calls
            .agent_is_known(spoken.agent_id.as_deref(), parent.as_deref());
        self.reckoning.went_on(events);
        for block in spoken.message.content.blocks() {
            let tool = self
                .blocks
                .block_ends(parent.as_deref(), &spoken.message.id, block, events);
            if let Some((tool_use, tool, input)) = tool {
                self.calls
                    .requested(tool_use, tool, input, parent.clone(), events);
            }
        }
    }

    fn carried(&mut self, carried: Carried, events: &mut Vec<AgentEvent>) {
        if carried.is_replay {
            self.replayed(&carried, events);
            return;
        }
        self.tools_finished(carried, events);
    }

    /// Our own message, echoed when it is taken up. What a local command printed comes as a replay as well.
    fn replayed(&mut self, carried: &Carried, events: &mut Vec<AgentEvent>) {
        let printed = matches!(&carried.message.content, Content::Text(text) if text.starts_with("<local-command-"));
        if let Some(uuid) = carried.uuid
            && !printed
        {
            self.turn_begins(events);
            events.push(AgentEvent::MessageTaken {
                command: nats::ids::CommandId::from_uuid(uuid),
            });
        }
    }

    fn controlled(&mut self, response: ControlResponse, events: &mut Vec<AgentEvent>) {
        let failed = response.subtype == "error";
        if response.request_id.starts_with(super::write::INITIALIZE) {
            if failed {
                let said = response.error.as_deref().unwrap_or("it gave no reason");
                events.push(notices::handshake_failed(said));
            } else {
                events.extend(self.about.greeted(response.response.claude_code_version));
            }
            for pending in response.pending_permission_requests {
                self.asked(pending.0, events);
            }
        } else if response
            .request_id
            .starts_with(nats::ids::CommandId::PREFIX)
        {
            self.interrupted |= self.turn_runs && !failed;
        } else {
            // An echo of our answer.
            self.asks.settled(&response.request_id);
        }
    }

    fn unreadable(&mut self, line: &[u8], events: &mut Vec<AgentEvent>) {
        self.unreadable = self.unreadable.saturating_add(1);
        if self.unreadable <= UNREADABLE_SHOWN {
            let text = String::from_utf8_lossy(line);
            let last = self.unreadable == UNREADABLE_SHOWN;
            events.push(notices::unreadable(&text, UNREADABLE_CHARACTERS, last));
        }
    }
}
