//! The text of blocks that are still being written: where the next piece begins, and the whole so far.
//!
//! Pure. Kept with the session's state, so that offsets go on where they were after a restart of the runner.

use nats::event::BlockKind;
use nats::ids::TurnId;
use nats::live::{Delta, Snapshot};
use serde::{Deserialize, Serialize};

/// Text sent since the last snapshot that is worth another one.
const SNAPSHOT_EVERY_BYTES: usize = 16 * 1024;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Blocks {
    open: Vec<Block>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Block {
    turn: Option<TurnId>,
    message: String,
    block: u32,
    kind: BlockKind,
    text: String,
    /// Bytes of `text` that were sent as deltas, and how many UTF-16 units that is.
    sent_bytes: usize,
    sent_units: u64,
    snapshot_bytes: usize,
}

impl Blocks {
    pub fn push(
        &mut self,
        turn: Option<TurnId>,
        message: &str,
        block: u32,
        kind: BlockKind,
        text: &str,
    ) {
        if let Some(known) = self.find(message, block) {
            known.text.push_str(text);
            return;
        }
        self.open.push(Block {
            turn,
            message: message.to_owned(),
            block,
            kind,
            text: text.to_owned(),
            sent_bytes: 0,
            sent_units: 0,
            snapshot_bytes: 0,
        });
    }

    /// The block is final, or nobody will finish it.
    pub fn done(&mut self, message: &str, block: u32) {
        self.open
            .retain(|it| it.message != message || it.block != block);
    }

    pub fn clear(&mut self) {
        self.open.clear();
    }

    #[must_use]
    pub fn has_unsent(&self) -> bool {
        self.open.iter().any(|it| it.sent_bytes < it.text.len())
    }

    /// What has not been sent, gathered: one delta a block, and the whole of a block when it has grown much, or when
    /// `whole` says that it is time: a coordinator that has just started knows of no earlier delta.
    pub fn take(&mut self, whole: bool) -> (Vec<Delta>, Vec<Snapshot>) {
        let (mut deltas, mut snapshots) = (Vec::new(), Vec::new());
        for it in self
            .open
            .iter_mut()
            .filter(|it| it.sent_bytes < it.text.len())
        {
            let text = it.text[it.sent_bytes..].to_owned();
            let units = text.encode_utf16().count() as u64;
            deltas.push(Delta {
                turn: it.turn,
                message: it.message.clone(),
                block: it.block,
                kind: it.kind,
                offset: it.sent_units,
                text,
            });
            it.sent_bytes = it.text.len();
            it.sent_units += units;
            if whole || it.text.len() - it.snapshot_bytes >= SNAPSHOT_EVERY_BYTES {
                it.snapshot_bytes = it.text.len();
                snapshots.push(Snapshot {
                    turn: it.turn,
                    message: it.message.clone(),
                    block: it.block,
                    kind: it.kind,
                    text: it.text.clone(),
                });
            }
        }
        (deltas, snapshots)
    }

    fn find(&mut self, message: &str, block: u32) -> Option<&mut Block> {
        self.open
            .iter_mut()
            .find(|it| it.message == message && it.block == block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_as_browsers_do_and_pieces_are_gathered() {
        let mut blocks = Blocks::default();
        blocks.push(None, "m", 0, BlockKind::Text, "é😀");
        let (first, _) = blocks.take(false);
        assert_eq!((first[0].offset, first[0].text.as_str()), (0, "é😀"));
        blocks.push(None, "m", 0, BlockKind::Text, "a");
        blocks.push(None, "m", 0, BlockKind::Text, "b");
        let (second, _) = blocks.take(false);
        assert_eq!(
            (second.len(), second[0].offset, second[0].text.as_str()),
            (1, 3, "ab")
        );
        assert!(blocks.take(false).0.is_empty());
    }

    #[test]
    fn a_long_block_is_told_whole_now_and_then_and_a_final_one_never_again() {
        let mut blocks = Blocks::default();
        blocks.push(
            None,
            "m",
            1,
            BlockKind::Text,
            &"x".repeat(SNAPSHOT_EVERY_BYTES),
        );
        assert_eq!(blocks.take(false).1[0].text.len(), SNAPSHOT_EVERY_BYTES);
        blocks.push(None, "m", 1, BlockKind::Text, "y");
        assert_eq!(blocks.take(true).1[0].text.len(), SNAPSHOT_EVERY_BYTES + 1);
        blocks.push(None, "m", 1, BlockKind::Text, "z");
        blocks.done("m", 1);
        assert!(blocks.take(false).0.is_empty());
    }
}
