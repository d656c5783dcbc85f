//! Who holds a slot, who waits for one, and who should give one up: a pure table without a clock or a task.
//!
//! A slot is an agent's process: what it costs is memory. A session that sleeps has none and so holds none. One whose
//! agent rests keeps its slot as long as nobody needs it, and yields it, the longest at rest first, when somebody does.
//! Those who wait are served in the order in which they came.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How one session stands here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// It has no agent and wants none.
    #[default]
    Without,
    Waits,
    Holds,
    /// It holds a slot with nothing to do, and another session waits for one.
    Yields,
}

/// How full the host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub held: usize,
    /// Of those held, how many would be given up for somebody who has work.
    pub resting: usize,
    pub waiting: usize,
}

#[derive(Debug)]
pub struct Table<Key> {
    capacity: usize,
    /// Nobody is given a slot before it is known who has one already.
    open: bool,
    /// Who holds, and since which turn of the counter its agent rests.
    holders: BTreeMap<Key, Option<u64>>,
    waiting: VecDeque<Key>,
    yielding: BTreeSet<Key>,
    rests: u64,
}

impl<Key: Copy + Ord> Table<Key> {
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self {
            capacity,
            open: false,
            holders: BTreeMap::new(),
            waiting: VecDeque::new(),
            yielding: BTreeSet::new(),
            rests: 0,
        }
    }

    /// Whether one more session would get a slot, at once or as soon as a resting agent has gone.
    #[must_use]
    pub fn admits(&self) -> bool {
        let counts = self.counts();
        counts.held - counts.resting + counts.waiting < self.capacity
    }

    /// Everybody who has an agent already has said so.
    pub fn open(&mut self) {
        self.open = true;
        self.settle();
    }

    /// Gives the session a slot, or a place behind those who wait already.
    pub fn take(&mut self, key: Key) {
        if !self.holders.contains_key(&key) && !self.waiting.contains(&key) {
            self.waiting.push_back(key);
        }
        self.settle();
    }

    /// Its agent runs, whatever the number of slots is now.
    pub fn hold(&mut self, key: Key) {
        self.waiting.retain(|waiting| *waiting != key);
        self.holders.entry(key).or_insert(None);
        self.settle();
    }

    pub fn leave(&mut self, key: Key) {
        self.waiting.retain(|waiting| *waiting != key);
        self.holders.remove(&key);
        self.settle();
    }

    /// Whether the agent of a session that holds a slot has nothing to do.
    pub fn rest(&mut self, key: Key, rests: bool) {
        let Some(since) = self.holders.get_mut(&key) else {
            return;
        };
        if rests && since.is_none() {
            self.rests += 1;
            *since = Some(self.rests);
        } else if !rests {
            *since = None;
        }
        self.settle();
    }

    #[must_use]
    pub fn standing(&self, key: Key) -> Standing {
        if self.yielding.contains(&key) {
            Standing::Yields
        } else if self.holders.contains_key(&key) {
            Standing::Holds
        } else if self.waiting.contains(&key) {
            Standing::Waits
        } else {
            Standing::Without
        }
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            held: self.holders.len(),
            resting: self.holders.values().flatten().count(),
            waiting: self.waiting.len(),
        }
    }

    fn settle(&mut self) {
        while self.open && self.holders.len() < self.capacity {
            let Some(next) = self.waiting.pop_front() else {
                break;
            };
            self.holders.insert(next, None);
        }
        let mut resting: Vec<(u64, Key)> = self
            .holders
            .iter()
            .filter_map(|(key, since)| Some(((*since)?, *key)))
            .collect();
        resting.sort_unstable();
        // More run than there are slots when their number was lowered: those have to go first.
        let excess = self.holders.len().saturating_sub(self.capacity);
        let wanted = match self.waiting.len() {
            0 => 0,
            waiting => waiting + excess,
        };
        self.yielding = resting
            .into_iter()
            .take(wanted)
            .map(|(_, key)| key)
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn open<Key: Copy + Ord>(capacity: usize) -> Table<Key> {
        let mut table = Table::new(capacity);
        table.open();
        table
    }

    #[test]
    fn those_who_wait_are_served_in_order_and_the_longest_at_rest_yields_first() {
        let mut table = open(2);
        table.take('a');
        table.take('b');
        table.rest('b', true);
        table.rest('a', true);
        assert!(table.admits());
        table.take('c');
        table.take('d');
        assert_eq!(table.standing('b'), Standing::Yields);
        assert_eq!(table.standing('a'), Standing::Yields);
        assert!(!table.admits(), "both resting agents are spoken for");
        table.leave('b');
        assert_eq!(table.standing('c'), Standing::Holds);
        assert_eq!(table.standing('d'), Standing::Waits);
        // It was told something meanwhile, and works.
        table.rest('a', false);
        assert_eq!(table.standing('a'), Standing::Holds);
        table.leave('c');
        assert_eq!(table.standing('d'), Standing::Holds);
    }

    #[test]
    fn nobody_yields_while_nobody_waits() {
        let mut table = open(1);
        table.take(1);
        table.rest(1, true);
        assert_eq!(table.standing(1), Standing::Holds);
        table.take(2);
        assert_eq!(table.standing(1), Standing::Yields);
        table.leave(2);
        assert_eq!(table.standing(1), Standing::Holds);
    }

    #[test]
    fn agents_that_run_already_stay_when_there_are_fewer_slots_than_before() {
        let mut table = Table::new(1);
        table.take(4);
        for key in 1..=3 {
            table.hold(key);
        }
        table.open();
        table.leave(1);
        assert_eq!(table.standing(4), Standing::Waits);
        table.rest(2, true);
        assert_eq!(table.standing(2), Standing::Yields);
        table.leave(2);
        table.leave(3);
        assert_eq!(table.standing(4), Standing::Holds);
    }

    #[derive(Debug, Clone)]
    enum Does {
        Takes(u8),
        Leaves(u8),
        Rests(u8, bool),
    }

    fn does() -> impl Strategy<Value = Does> {
        prop_oneof![
            3 => (0_u8..12).prop_map(Does::Takes),
            2 => (0_u8..12).prop_map(Does::Leaves),
            2 => (0_u8..12, any::<bool>()).prop_map(|(key, rests)| Does::Rests(key, rests)),
        ]
    }

    proptest! {
        #[test]
        fn no_order_of_things_fills_a_host_beyond_its_slots_or_leaves_one_empty_while_somebody_waits(
            capacity in 1_usize..5,
            steps in prop::collection::vec(does(), 0..80),
        ) {
            let mut table = open(capacity);
            for step in steps {
                let admitted = table.admits();
                match step {
                    Does::Takes(key) => {
                        let new = table.standing(key) == Standing::Without;
                        table.take(key);
                        // Whoever was let in has a slot, or somebody is about to give one up for everybody before it.
                        if new && admitted {
                            let counts = table.counts();
                            prop_assert!(counts.waiting <= counts.resting);
                        }
                    }
                    Does::Leaves(key) => table.leave(key),
                    Does::Rests(key, rests) => table.rest(key, rests),
                }
                let counts = table.counts();
                prop_assert!(counts.held <= capacity);
                prop_assert!(counts.waiting == 0 || counts.held == capacity);
                prop_assert!(table.yielding.len() == counts.waiting.min(counts.resting));
            }
        }
    }
}
