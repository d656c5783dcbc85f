//! Which block of which message a piece of text belongs to.
//!
//! A streamed message numbers its blocks; then comes one `assistant` line per finished block, without a number and
//! before the block's end in the stream. A message that was not streamed (a subagent's, or one asked for again
//! after a broken stream) has only those lines. A stream that breaks in the middle of a block leaves text that no
//! `assistant` line ever follows: it is given up as soon as something newer begins. Knows nothing of tools.

use std::collections::BTreeMap;

use nats::event::BlockKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::protocol::{Block, BlockDelta};
use crate::agent::AgentEvent;

/// A tool call found in a block: its id, the tool and the input.
pub(super) type Call = (String, String, Value);

/// Subagents speak side by side. Beyond so many, the numbering of their half-said messages begins anew.
const SPEAKERS_MAX: usize = 64;

/// One message in the making for each speaker: the agent itself (the empty name) and its subagents.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Blocks(BTreeMap<String, Progress>);

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Progress {
    message: String,
    /// The number of the block after the last one.
    next: u32,
    open: Option<Open>,
}

/// A block that began in the stream and has no `assistant` line yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Open {
    block: u32,
    kind: BlockKind,
    /// Some of its text was passed on.
    shown: bool,
}

impl Blocks {
    pub fn message_starts(
        &mut self,
        parent: Option<&str>,
        message: String,
        events: &mut Vec<AgentEvent>,
    ) {
        let progress = self.of(parent);
        progress.give_up(parent, events);
        *progress = Progress {
            message,
            next: 0,
            open: None,
        };
    }

    pub fn block_starts(
        &mut self,
        parent: Option<&str>,
        index: u32,
        block: &Block,
        events: &mut Vec<AgentEvent>,
    ) {
        let progress = self.of(parent);
        progress.give_up(parent, events);
        let kind = match block {
            Block::Text { .. } => BlockKind::Text,
            Block::Thinking { .. } => BlockKind::Thinking,
            Block::ToolUse { .. } | Block::ToolResult { .. } | Block::Image | Block::Other => {
                BlockKind::Other
            }
        };
        progress.next = index.saturating_add(1);
        progress.open = Some(Open {
            block: index,
            kind,
            shown: false,
        });
    }

    pub fn delta(
        &mut self,
        parent: Option<&str>,
        index: u32,
        delta: BlockDelta,
        events: &mut Vec<AgentEvent>,
    ) {
        let progress = self.of(parent);
        let (kind, text) = match delta {
            BlockDelta::TextDelta { text } => (BlockKind::Text, text),
            BlockDelta::ThinkingDelta { thinking } => (BlockKind::Thinking, thinking),
            BlockDelta::Other => return,
        };
        // Text of a block that is final already, or never began, has nowhere to go.
        let Some(open) = progress
            .open
            .as_mut()
            .filter(|open| open.block == index && !text.is_empty())
        else {
            return;
        };
        open.shown = true;
        open.kind = kind;
        events.push(AgentEvent::Delta {
            message: progress.message.clone(),
            block: index,
            kind,
            text,
        });
    }

    /// A finished block of `message`. Gives back the tool call, if it is one.
    pub fn block_ends(
        &mut self,
        parent: Option<&str>,
        message: &str,
        block: Block,
        events: &mut Vec<AgentEvent>,
    ) -> Option<Call> {
        let progress = self.of(parent);
        if progress.message != message {
            progress.give_up(parent, events);
            *progress = Progress {
                message: message.to_owned(),
                next: 0,
                open: None,
            };
        }
        let open = progress.open.take();
        let shown = open.as_ref().is_some_and(|open| open.shown);
        let number = open.map_or(progress.next, |open| open.block);
        progress.next = progress.next.max(number.saturating_add(1));
        let (kind, text) = match block {
            Block::Text { text } => (BlockKind::Text, text),
            Block::Thinking { thinking } => (BlockKind::Thinking, thinking),
            Block::ToolUse { id, name, input } => return Some((id, name, input)),
            Block::ToolResult { .. } | Block::Image | Block::Other => return None,
        };
        // Thinking that its model keeps to itself comes as an empty block.
        if shown || !text.is_empty() {
            let parent = parent.map(str::to_owned);
            events.push(AgentEvent::Block {
                message: message.to_owned(),
                block: number,
                kind,
                text,
                parent,
            });
        }
        None
    }

    /// The turn is over: what the agent itself left half-said stays so.
    pub fn turn_ends(&mut self, events: &mut Vec<AgentEvent>) {
        self.of(None).give_up(None, events);
    }

    fn of(&mut self, parent: Option<&str>) -> &mut Progress {
        let speaker = parent.unwrap_or_default();
        if self.0.len() >= SPEAKERS_MAX && !self.0.contains_key(speaker) {
            self.0.retain(|name, _| name.is_empty());
        }
        self.0.entry(speaker.to_owned()).or_default()
    }
}

impl Progress {
    /// An empty final block voids the text that was shown of one that will not come.
    fn give_up(&mut self, parent: Option<&str>, events: &mut Vec<AgentEvent>) {
        if let Some(open) = self.open.take()
            && open.shown
        {
            events.push(AgentEvent::Block {
                message: self.message.clone(),
                block: open.block,
                kind: open.kind,
                text: String::new(),
                parent: parent.map(str::to_owned),
            });
        }
    }
}
