//! What is to be written to the agent, in order, and what already was, by id.
//! Owns the promise that an id is written once; does not know the socket it is written to.

use std::collections::{HashSet, VecDeque};

use bytes::Bytes;

/// An agent that does not read is told no more than this; the runner keeps the rest and hears why.
const WAITING_MAX: usize = 1024;
const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Ids remembered: far more than one agent's life has, and a bound all the same.
const REMEMBERED_MAX: usize = 100_000;

#[derive(Default)]
pub(super) struct Inputs {
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    accepted: HashSet<String>,
    accepted_in_order: VecDeque<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Offer {
    /// Will be written in its turn; that it was written is told by `wrote`.
    Waiting,
    /// Was written before: say so again, and do not write it.
    Accepted,
    /// Too much waits already.
    Full,
}

struct Waiting {
    id: String,
    rest: Bytes,
}

impl Inputs {
    pub(super) fn offer(&mut self, id: String, bytes: Bytes) -> Offer {
        if self.accepted.contains(&id) {
            return Offer::Accepted;
        }
        if self.waiting.iter().any(|waiting| waiting.id == id) {
            return Offer::Waiting;
        }
        // The first is let through whatever its size: otherwise it could never be sent at all.
        let full = self.waiting.len() >= WAITING_MAX
            || self.waiting_bytes + bytes.len() > WAITING_BYTES_MAX;
        if full && !self.waiting.is_empty() {
            return Offer::Full;
        }
        self.waiting_bytes += bytes.len();
        self.waiting.push_back(Waiting { id, rest: bytes });
        Offer::Waiting
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What to write next; an input of no bytes is there as well, as an empty slice.
    pub(super) fn next(&self) -> Option<&[u8]> {
        self.waiting.front().map(|waiting| &waiting.rest[..])
    }

    /// `count` bytes of `next` were written; returns the id when that was the last of them.
    pub(super) fn wrote(&mut self, count: usize) -> Option<String> {
        let front = self.waiting.front_mut()?;
        let written = front.rest.split_to(count.min(front.rest.len()));
        self.waiting_bytes -= written.len();
        if !front.rest.is_empty() {
            return None;
        }
        let id = self.waiting.pop_front()?.id;
        self.remember(id.clone());
        Some(id)
    }

    /// Gives up what was not written completely, because there is nobody to read it.
    pub(super) fn abandon(&mut self) -> Vec<String> {
        self.waiting_bytes = 0;
        self.waiting.drain(..).map(|waiting| waiting.id).collect()
    }

    fn remember(&mut self, id: String) {
        if self.accepted_in_order.len() >= REMEMBERED_MAX
            && let Some(oldest) = self.accepted_in_order.pop_front()
        {
            self.accepted.remove(&oldest);
        }
        self.accepted_in_order.push_back(id.clone());
        self.accepted.insert(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[test]
    fn an_input_is_accepted_with_its_last_byte_and_never_written_again() {
        let mut inputs = Inputs::default();
        assert_eq!(inputs.offer("a".into(), input("hello")), Offer::Waiting);
        assert_eq!(inputs.wrote(2), None);
        assert_eq!(inputs.next(), Some(&b"llo"[..]));
        assert_eq!(
            inputs.offer("a".into(), input("hello")),
            Offer::Waiting,
            "half written is still waiting"
        );
        assert_eq!(inputs.wrote(3), Some("a".into()));
        assert_eq!(inputs.offer("a".into(), input("hello")), Offer::Accepted);
        assert!(inputs.is_empty());
    }

    #[test]
    fn inputs_keep_their_order_and_an_empty_one_is_an_input_too() {
        let mut inputs = Inputs::default();
        inputs.offer("a".into(), input(""));
        inputs.offer("b".into(), input("x"));
        assert_eq!(inputs.next(), Some(&b""[..]));
        assert_eq!(inputs.wrote(0), Some("a".into()));
        assert_eq!(inputs.abandon(), ["b"]);
        assert_eq!(
            inputs.offer("b".into(), input("x")),
            Offer::Waiting,
            "what was given up may come again"
        );
    }

    #[test]
    fn too_much_is_refused_but_the_first_is_not() {
        let mut inputs = Inputs::default();
        let huge = Bytes::from(vec![0; WAITING_BYTES_MAX + 1]);
        assert_eq!(inputs.offer("huge".into(), huge), Offer::Waiting);
        assert_eq!(inputs.offer("next".into(), input("x")), Offer::Full);
    }
}
