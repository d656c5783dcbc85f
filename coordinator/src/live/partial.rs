//! The text of blocks that are still being written, so that who comes late sees them from their beginning.
//!
//! Pure. Built from deltas and snapshots, emptied by the events that make a block final; a delta that does not
//! join on is left out until the next snapshot.

use std::collections::{HashMap, HashSet, VecDeque};

use nats::Timestamp;
use nats::event::{BlockKind, Event};
use nats::ids::{SessionId, TurnId};
use nats::live::{Live, Snapshot};

use crate::api::LiveRow;

/// A block beyond this is shown to latecomers from its event on.
const BLOCK_BYTES_MAX: usize = 512 * 1024;
/// Finished blocks to remember, because their last deltas may come after them.
const FINISHED_MAX: usize = 64;

#[derive(Default)]
pub struct Partials {
    sessions: HashMap<SessionId, Session>,
}

#[derive(Default)]
struct Session {
    blocks: Vec<Block>,
    finished: HashSet<Key>,
    finished_order: VecDeque<Key>,
}

type Key = (String, u32);

struct Block {
    key: Key,
    turn: Option<TurnId>,
    kind: BlockKind,
    text: String,
    /// Of `text` in UTF-16 code units, as offsets count.
    length: u64,
    epoch: u64,
    at: Timestamp,
}

impl Partials {
    /// Takes up a live message. False when it belongs to a block that is final: nobody should see it any more.
    pub fn take(&mut self, row: &LiveRow) -> bool {
        let session = self.sessions.entry(row.session).or_default();
        match &row.body {
            Live::Delta(delta) => {
                let key = (delta.message.clone(), delta.block);
                if session.finished.contains(&key) {
                    return false;
                }
                let length = session.block(&key).map_or(0, |block| block.length);
                if delta.offset == length {
                    let block = session.block_or_new(key, delta.turn, delta.kind, row);
                    block.length += utf16_length(&delta.text);
                    block.text.push_str(&delta.text);
                    session.bound();
                }
            }
            Live::Snapshot(snapshot) => {
                let key = (snapshot.message.clone(), snapshot.block);
                if session.finished.contains(&key) {
                    return false;
                }
                let block = session.block_or_new(key, snapshot.turn, snapshot.kind, row);
                block.length = utf16_length(&snapshot.text);
                block.text.clone_from(&snapshot.text);
                session.bound();
            }
        }
        true
    }

    /// Takes note of an event: a block is final, or nothing is being written any more.
    pub fn event(&mut self, session: SessionId, event: &Event) {
        match event {
            Event::MessageAssistant(message) => {
                let key = (message.message.clone(), message.block);
                self.sessions.entry(session).or_default().finish(key);
            }
            Event::TurnFinished(_) | Event::AgentExited(_) => {
                if let Some(session) = self.sessions.get_mut(&session) {
                    let unfinished: Vec<Key> =
                        session.blocks.drain(..).map(|block| block.key).collect();
                    for key in unfinished {
                        session.finish(key);
                    }
                }
            }
            Event::SessionEnded(_) => {
                self.sessions.remove(&session);
            }
            _ => {}
        }
    }

    /// What is being written now, each block whole so far.
    #[must_use]
    pub fn snapshots(&self, session: SessionId) -> Vec<LiveRow> {
        let blocks = self
            .sessions
            .get(&session)
            .map(|session| session.blocks.as_slice());
        let row = |block: &Block| LiveRow {
            session,
            epoch: block.epoch,
            at: block.at,
            body: Live::Snapshot(Snapshot {
                turn: block.turn,
                message: block.key.0.clone(),
                block: block.key.1,
                kind: block.kind,
                text: block.text.clone(),
            }),
        };
        blocks.unwrap_or_default().iter().map(row).collect()
    }
}

impl Session {
    fn block(&self, key: &Key) -> Option<&Block> {
        self.blocks.iter().find(|block| block.key == *key)
    }

    fn block_or_new(
        &mut self,
        key: Key,
        turn: Option<TurnId>,
        kind: BlockKind,
        row: &LiveRow,
    ) -> &mut Block {
        let index = self
            .blocks
            .iter()
            .position(|block| block.key == key)
            .unwrap_or_else(|| {
                self.blocks.push(Block {
                    key,
                    turn,
                    kind,
                    text: String::new(),
                    length: 0,
                    epoch: row.epoch,
                    at: row.at,
                });
                self.blocks.len() - 1
            });
        &mut self.blocks[index]
    }

    fn bound(&mut self) {
        self.blocks
            .retain(|block| block.text.len() <= BLOCK_BYTES_MAX);
    }

    fn finish(&mut self, key: Key) {
        self.blocks.retain(|block| block.key != key);
        if self.finished.insert(key.clone()) {
            self.finished_order.push_back(key);
        }
        if self.finished_order.len() > FINISHED_MAX
            && let Some(oldest) = self.finished_order.pop_front()
        {
            self.finished.remove(&oldest);
        }
    }
}

fn utf16_length(text: &str) -> u64 {
    text.encode_utf16().count() as u64
}

#[cfg(test)]
mod tests {
    use nats::event::MessageAssistant;
    use nats::live::Delta;

    use super::*;

    fn delta(session: SessionId, offset: u64, text: &str) -> LiveRow {
        LiveRow {
            session,
            epoch: 1,
            at: Timestamp::now(),
            body: Live::Delta(Delta {
                turn: None,
                message: "m".to_owned(),
                block: 0,
                kind: BlockKind::Text,
                offset,
                text: text.to_owned(),
            }),
        }
    }

    fn texts(partials: &Partials, session: SessionId) -> Vec<String> {
        let text = |row: LiveRow| match row.body {
            Live::Snapshot(snapshot) => snapshot.text,
            Live::Delta(delta) => delta.text,
        };
        partials.snapshots(session).into_iter().map(text).collect()
    }

    #[test]
    fn deltas_join_into_the_block_so_far_and_one_that_does_not_join_is_left_out() {
        let (mut partials, session) = (Partials::default(), SessionId::new());
        partials.take(&delta(session, 0, "a𝄞"));
        partials.take(&delta(session, 3, "b"));
        partials.take(&delta(session, 9, "lost before"));
        partials.take(&delta(session, 3, "again"));
        assert_eq!(texts(&partials, session), ["a𝄞b"]);
    }

    #[test]
    fn a_final_block_takes_no_more_deltas() {
        let (mut partials, session) = (Partials::default(), SessionId::new());
        partials.take(&delta(session, 0, "a"));
        let message = MessageAssistant {
            turn: None,
            message: "m".to_owned(),
            block: 0,
            kind: BlockKind::Text,
            text: "all".to_owned(),
            parent: None,
        };
        partials.event(session, &Event::MessageAssistant(message));
        assert!(!partials.take(&delta(session, 0, "late")));
        assert!(texts(&partials, session).is_empty());
    }
}
