//! The agent's output that is not yet durable on the runner's side, numbered by byte.
//! Owns the bytes and their positions; does not know who reads them.

use std::collections::VecDeque;

use bytes::Bytes;

/// A buffer much larger than what it holds is given back, so that one burst does not cost memory for ever.
const SLACK_BYTES_MAX: usize = 1024 * 1024;

pub(super) struct Backlog {
    bytes: VecDeque<u8>,
    oldest: u64,
    bytes_max: usize,
}

impl Backlog {
    pub(super) fn new(bytes_max: usize) -> Self {
        // Of nothing, nothing would ever be read.
        Self {
            bytes: VecDeque::new(),
            oldest: 0,
            bytes_max: bytes_max.max(1),
        }
    }

    /// The position of the first byte that is kept.
    pub(super) fn oldest(&self) -> u64 {
        self.oldest
    }

    /// The position after the last byte that was read.
    pub(super) fn newest(&self) -> u64 {
        self.oldest + self.bytes.len() as u64
    }

    /// How much may be pushed; zero means that the agent has to wait.
    pub(super) fn room(&self) -> usize {
        self.bytes_max - self.bytes.len()
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        debug_assert!(bytes.len() <= self.room(), "the reader asks for room first");
        self.bytes.extend(bytes);
    }

    /// Up to `bytes_max` bytes from `position` on; empty at the end or for a position that is not kept.
    pub(super) fn read(&self, position: u64, bytes_max: usize) -> Bytes {
        let Some(skip) = position
            .checked_sub(self.oldest)
            .and_then(|skip| usize::try_from(skip).ok())
        else {
            return Bytes::new();
        };
        let end = self.bytes.len().min(skip.saturating_add(bytes_max));
        if skip >= end {
            return Bytes::new();
        }
        let (front, back) = self.bytes.as_slices();
        let (front_end, back_start) = (end.min(front.len()), skip.saturating_sub(front.len()));
        let mut taken = Vec::with_capacity(end - skip);
        taken.extend_from_slice(front.get(skip..front_end).unwrap_or_default());
        taken.extend_from_slice(
            back.get(back_start..end.saturating_sub(front.len()))
                .unwrap_or_default(),
        );
        taken.into()
    }

    /// Lets go of everything before `position`. A position beyond the end is the caller's mistake: `false`.
    pub(super) fn forget_until(&mut self, position: u64) -> bool {
        if position > self.newest() {
            return false;
        }
        let Some(count) = position
            .checked_sub(self.oldest)
            .and_then(|count| usize::try_from(count).ok())
        else {
            return true; // said before
        };
        self.bytes.drain(..count);
        self.oldest = position;
        if self.bytes.capacity() > self.bytes.len() * 4 + SLACK_BYTES_MAX {
            self.bytes.shrink_to(self.bytes.len() * 2);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The backlog is a window on one long string, whatever is pushed and forgotten in whatever order.
        #[test]
        fn any_window_reads_as_the_string_it_was_cut_from(
            steps in proptest::collection::vec((0usize..300, 0u64..300, 0usize..400), 1..60),
        ) {
            let mut backlog = Backlog::new(1000);
            let mut all: Vec<u8> = Vec::new();
            for (push, forget, read) in steps {
                for _ in 0..push.min(backlog.room()) {
                    let byte = (all.len() % 251) as u8;
                    all.push(byte);
                    backlog.push(&[byte]);
                }
                prop_assert_eq!(backlog.newest(), all.len() as u64);
                let until = backlog.oldest() + forget;
                prop_assert_eq!(backlog.forget_until(until), until <= all.len() as u64);
                let from = backlog.oldest() as usize;
                let expected = &all[from..all.len().min(from + read)];
                prop_assert_eq!(&backlog.read(from as u64, read)[..], expected);
                let middle = from + (all.len() - from) / 2;
                prop_assert_eq!(&backlog.read(middle as u64, usize::MAX)[..], &all[middle..]);
            }
        }
    }

    #[test]
    fn a_full_backlog_has_no_room_until_something_is_durable() {
        let mut backlog = Backlog::new(4);
        backlog.push(b"abcd");
        assert_eq!(backlog.room(), 0);
        assert!(backlog.forget_until(3));
        assert_eq!(
            (backlog.room(), backlog.oldest(), backlog.newest()),
            (3, 3, 4)
        );
        assert!(backlog.forget_until(1), "an older position is nothing new");
        assert!(
            !backlog.forget_until(5),
            "nobody can have stored what was never said"
        );
        assert!(backlog.read(0, 10).is_empty());
    }
}
