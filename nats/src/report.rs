//! What a host answers a coordinator: what it keeps of a session's log, or that it has no room for a session.
//!
//! Rows do not travel for this: ranges of them are hashed on both sides with [`Grouping`], and only a range that differs
//! is told row by row. The answer is a live message that its asker alone waits for; nobody keeps it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ts_rs::TS;

use crate::ids::{CommandId, EventId, HostName, SessionId};
use crate::timestamp::Timestamp;
use crate::wire::{Wire, messages};

/// Rows under one hash. A range that differs is told row by row, in one message.
pub const GROUP_ROWS: u64 = 500;

/// What a report is wrapped in. It looks like any live message; who only watches may pass it over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportMessage {
    pub v: u8,
    pub session: SessionId,
    pub host: HostName,
    pub epoch: u64,
    pub at: Timestamp,
    /// `type` and `data`.
    #[serde(flatten)]
    pub body: Wire<Answer>,
}

messages! {
    pub enum Answer {
        "report" => Report(Report),
        "start.refused" => StartRefused(StartRefused),
    }
}

/// The host has no slot for a session that was to begin there. It will never begin there in this epoch, however often it
/// is asked: whoever hears this may give it to another host in the next one. Told again when it is asked again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StartRefused {
    /// In a sentence.
    pub reason: String,
}

/// How a session's log stands on its host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Report {
    /// The command that asked.
    pub ask: Option<CommandId>,
    /// Why nothing can be told, in a sentence.
    #[serde(default)]
    pub trouble: Option<String>,
    /// The log, unless the host has none of this session.
    #[serde(default)]
    pub log: Option<LogReport>,
    /// The process that holds the agent's output, while there is one.
    #[serde(default)]
    pub shim: Option<ShimReport>,
}

/// A session's log on its host, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct LogReport {
    #[ts(type = "number")]
    pub epoch: u64,
    /// The first seq that is still kept; one beyond `newest` when none is.
    #[ts(type = "number")]
    pub oldest: u64,
    /// The last seq in the log.
    #[ts(type = "number")]
    pub newest: u64,
    /// How many rows are kept.
    #[ts(type = "number")]
    pub rows_kept: u64,
    /// The last seq that the session has given out.
    #[ts(type = "number")]
    pub given_out: u64,
    /// Of the range that was asked for: hashes, or the rows themselves.
    #[serde(default)]
    pub groups: Vec<RowGroup>,
    #[serde(default)]
    pub rows: Vec<RowPrint>,
}

/// How far an agent's output is read and kept, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ShimReport {
    /// What the log holds is made of the output up to here. Read before and after the shim was asked.
    #[ts(type = "number")]
    pub read_before: u64,
    #[ts(type = "number")]
    pub read_after: u64,
    /// What the shim still has.
    #[ts(type = "number")]
    pub oldest: u64,
    #[ts(type = "number")]
    pub newest: u64,
}

/// One row, told apart from every other by a few bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RowPrint {
    #[ts(type = "number")]
    pub seq: u64,
    /// None when the row names no id that can be read.
    pub id: Option<EventId>,
    /// Of its body.
    pub sha256: String,
}

impl RowPrint {
    #[must_use]
    pub fn of(seq: u64, body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Body {
            id: EventId,
        }
        Self {
            seq,
            id: serde_json::from_slice::<Body>(body)
                .ok()
                .map(|body| body.id),
            sha256: hex::encode(Sha256::digest(body)),
        }
    }
}

/// A range of rows under one hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RowGroup {
    /// The first and the last row that are there.
    #[ts(type = "number")]
    pub first: u64,
    #[ts(type = "number")]
    pub last: u64,
    /// Over seq, id and hash of each row, in order.
    pub sha256: String,
}

/// Which group a row belongs to: the same on both sides, wherever they begin.
#[must_use]
pub const fn group_of(seq: u64) -> u64 {
    seq.saturating_sub(1) / GROUP_ROWS
}

/// Hashes rows in ranges, as they come.
#[derive(Default)]
pub struct Grouping {
    open: Option<Open>,
    done: Vec<RowGroup>,
}

struct Open {
    first: u64,
    last: u64,
    hash: Sha256,
}

impl Grouping {
    pub fn push(&mut self, print: &RowPrint) {
        if self
            .open
            .as_ref()
            .is_some_and(|open| group_of(open.last) != group_of(print.seq))
        {
            self.close();
        }
        let open = self.open.get_or_insert_with(|| Open {
            first: print.seq,
            last: print.seq,
            hash: Sha256::new(),
        });
        open.last = print.seq;
        let id = print.id.map(|id| id.to_string()).unwrap_or_default();
        open.hash
            .update(format!("{} {id} {}\n", print.seq, print.sha256));
    }

    #[must_use]
    pub fn finish(mut self) -> Vec<RowGroup> {
        self.close();
        self.done
    }

    fn close(&mut self) {
        self.done.extend(self.open.take().map(|open| RowGroup {
            first: open.first,
            last: open.last,
            sha256: hex::encode(open.hash.finalize()),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(seqs: impl Iterator<Item = u64>) -> Vec<RowPrint> {
        seqs.map(|seq| RowPrint::of(seq, format!("{{\"n\":{seq}}}").as_bytes()))
            .collect()
    }

    fn groups(rows: &[RowPrint]) -> Vec<RowGroup> {
        let mut grouping = Grouping::default();
        rows.iter().for_each(|row| grouping.push(row));
        grouping.finish()
    }

    #[test]
    fn ranges_are_the_same_wherever_a_side_begins() {
        let all = groups(&rows(1..=1200));
        let kept = groups(&rows(300..=1200));
        let spans: Vec<_> = all.iter().map(|it| (it.first, it.last)).collect();
        assert_eq!(spans, [(1, 500), (501, 1000), (1001, 1200)]);
        assert_eq!(kept[0].first, 300);
        assert_eq!(kept[1..], all[1..]);
    }

    #[test]
    fn a_changed_a_missing_a_doubled_and_a_moved_row_each_change_the_hash() {
        let whole = rows(1..=10);
        let mut changed = whole.clone();
        changed[4].sha256 = "00".repeat(32);
        let mut missing = whole.clone();
        missing.remove(4);
        let mut doubled = whole.clone();
        doubled.insert(4, whole[4].clone());
        let mut moved = whole.clone();
        moved.swap(4, 5);
        for other in [changed, missing, doubled, moved] {
            assert_ne!(groups(&other), groups(&whole));
        }
    }
}
