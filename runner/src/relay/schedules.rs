//! The machine against the model, through thousands of random schedules; and the model against the real server.

use std::collections::VecDeque;
use std::time::Duration;

use proptest::prelude::*;

use super::machine::{
    Effect, Input, Located, Machine, Manner, Position, Published, Reached, Trouble,
};
use super::model::{Publish, Server, published};

mod agreement;

const EPOCH: u64 = 3;

/// What may happen at any time.
#[derive(Debug, Clone)]
enum Happening {
    Append(u64),
    /// What is under way comes to its end, in one of these ways.
    Ends(Ending),
    /// A publish that was given up reaches the server after all.
    Arrives(u8),
    TimePasses(u64),
    BatchesRefused(bool),
    Full(bool),
    OthersWrite(u64),
    /// The relay's process dies and is started again, with the log as it is.
    Crash,
    Reconnects,
    /// The server is killed, and comes back without its newest events: none, or as an older backup.
    Restarts(usize),
    /// The host lets go of rows that were acknowledged, but for this many.
    Prunes(u64),
    /// Another runner has the session: by a new epoch, or by a closing event under ours that we did not write.
    Takeover {
        closes: bool,
    },
}

#[derive(Debug, Clone, Copy)]
enum Ending {
    Answered,
    /// Done by the server, and its answer lost.
    AnswerLost,
    /// Lost on the way there.
    NeverSent,
    /// Given up, and still on its way.
    Late,
    /// So many rows of it were stored, then the connection broke with the next one on its way.
    Breaks(usize),
    /// The log could not be read, or an object not be stored.
    NotReady,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => prop_oneof![8 => 1..4_u64, 4 => 5..15_u64, 1 => 200..700_u64].prop_map(Happening::Append),
        14 => ending().prop_map(Happening::Ends),
        3 => any::<u8>().prop_map(Happening::Arrives),
        4 => prop_oneof![Just(60_u64), Just(1_100), Just(11_000)].prop_map(Happening::TimePasses),
        1 => any::<bool>().prop_map(Happening::BatchesRefused),
        1 => any::<bool>().prop_map(Happening::Full),
        2 => (1..5_u64).prop_map(Happening::OthersWrite),
        1 => Just(Happening::Crash),
        1 => Just(Happening::Reconnects),
        1 => prop_oneof![2 => Just(0_usize), 1 => 1..40_usize].prop_map(Happening::Restarts),
        1 => (0..60_u64).prop_map(Happening::Prunes),
    ]
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        8 => Just(Ending::Answered),
        2 => Just(Ending::AnswerLost),
        1 => Just(Ending::NeverSent),
        2 => Just(Ending::Late),
        2 => (0..10_usize).prop_map(Ending::Breaks),
        1 => Just(Ending::NotReady),
    ]
}

/// One schedule; in every third somebody else takes the session over at some moment.
fn schedule() -> impl Strategy<Value = Vec<Happening>> {
    let takeover = prop_oneof![
        2 => Just(None),
        1 => (0..60_usize, any::<bool>()).prop_map(Some),
    ];
    (prop::collection::vec(happening(), 1..60), takeover).prop_map(|(mut all, takeover)| {
        if let Some((at, closes)) = takeover {
            all.insert(at.min(all.len()), Happening::Takeover { closes });
        }
        all
    })
}

/// A relay, its log, and the server.
struct World {
    machine: Machine,
    under_way: Option<Effect>,
    newest: u64,
    pruned: u64,
    server: Server,
    air: VecDeque<Publish>,
    now: Duration,
    taken_over: bool,
    reached: Reached,
    /// How much of the server's was looked at, and is as it should be.
    looked_at: usize,
}

impl World {
    fn new() -> Self {
        let server = Server {
            stream_sequence: 100,
            ..Server::default()
        };
        Self {
            machine: Machine::new(EPOCH, 0),
            under_way: Some(Effect::Locate),
            newest: 0,
            pruned: 0,
            server,
            air: VecDeque::new(),
            now: Duration::ZERO,
            taken_over: false,
            reached: Reached::UpTo(0),
            looked_at: 0,
        }
    }

    fn happens(&mut self, happening: &Happening) {
        match *happening {
            Happening::Append(count) => {
                self.newest += count;
                self.tell(Input::Newest(self.newest));
            }
            Happening::Ends(ending) => self.ends(ending),
            Happening::Arrives(which) => {
                if !self.air.is_empty()
                    && let Some(late) = self.air.remove(usize::from(which) % self.air.len())
                {
                    self.server.publish_unheard(&late);
                }
            }
            Happening::TimePasses(milliseconds) => {
                self.now += Duration::from_millis(milliseconds);
                self.tell(Input::Woken);
            }
            Happening::BatchesRefused(it) => self.server.refuses_batches = it,
            Happening::Full(it) => self.server.is_full = it,
            Happening::OthersWrite(count) => self.server.stream_sequence += count,
            Happening::Crash => {
                self.machine = Machine::new(EPOCH, self.newest);
                self.under_way = Some(Effect::Locate);
            }
            Happening::Reconnects => self.reconnects(),
            Happening::Restarts(lost) => {
                if matches!(self.under_way, Some(Effect::Publish { .. })) {
                    self.ends(Ending::Late);
                }
                // A backup from before the takeover would not know of it, and nobody but the record could say so.
                self.server.lose(if self.taken_over { 0 } else { lost });
                // What still waits for a connection is written before anything else: a connection keeps its order.
                while let Some(late) = self.air.pop_front() {
                    self.server.publish_unheard(&late);
                }
                self.tell(Input::Reconnected);
            }
            Happening::Prunes(kept) => {
                if let Reached::UpTo(reached) = self.reached {
                    self.pruned = self.pruned.max(reached.saturating_sub(kept));
                }
            }
            Happening::Takeover { closes } => {
                let (epoch, seq) = match self.server.last() {
                    Some(last) if closes => (last.epoch, last.seq + 1),
                    Some(last) => (last.epoch + 1, last.seq + 1),
                    None => (EPOCH + 1, 1),
                };
                self.server.store(epoch, seq, false);
                self.taken_over = true;
            }
        }
    }

    /// The old connection's answer is lost, as the shell has it.
    fn reconnects(&mut self) {
        if matches!(self.under_way, Some(Effect::Publish { .. })) {
            self.ends(Ending::Late);
        }
        self.tell(Input::Reconnected);
    }

    fn ends(&mut self, ending: Ending) {
        match self.under_way.take() {
            None | Some(Effect::Report(_)) => {}
            Some(Effect::Locate) => {
                let located = match ending {
                    Ending::Answered | Ending::Breaks(_) => self.server.locate(),
                    _ => Located::Unreadable,
                };
                self.tell(Input::Located(located));
            }
            Some(Effect::Publish { after, manner }) => {
                let published = self.publishes(ending, after, manner);
                self.tell(Input::Published(published));
            }
        }
    }

    fn publishes(&mut self, ending: Ending, after: Position, manner: Manner) -> Published {
        let failed = |trouble| Published {
            stored: None,
            ended: Err(trouble),
        };
        if matches!(ending, Ending::NotReady) {
            return failed(Trouble::NotReady);
        }
        if after.seq < self.pruned {
            return failed(Trouble::RowsGone);
        }
        let mut publish = Publish::new(EPOCH, after, manner, self.newest, 300);
        match ending {
            Ending::Answered => {}
            Ending::AnswerLost => {
                self.server.publish_unheard(&publish);
                return failed(Trouble::NoAnswer);
            }
            Ending::NeverSent | Ending::NotReady => return failed(Trouble::NoAnswer),
            Ending::Late => {
                // Of singles only the first was sent.
                if !publish.batch {
                    publish.seqs.truncate(1);
                }
                self.air.push_back(publish);
                return failed(Trouble::NoAnswer);
            }
            Ending::Breaks(stored) if !publish.batch && stored < publish.seqs.len() => {
                let rest = publish.seqs.split_off(stored);
                let (stored, sequence, result) = self.server.publish(&publish);
                if result.is_ok() {
                    let next = rest.first().copied().into_iter().collect();
                    self.air.push_back(Publish {
                        expected: sequence,
                        seqs: next,
                        ..publish.clone()
                    });
                }
                let told = published(&publish, stored, sequence, result);
                return Published {
                    ended: told.ended.and(Err(Trouble::NoAnswer)),
                    ..told
                };
            }
            Ending::Breaks(_) => {
                self.server.publish_unheard(&publish);
                return failed(Trouble::NoAnswer);
            }
        }
        let (stored, sequence, result) = self.server.publish(&publish);
        published(&publish, stored, sequence, result)
    }

    fn tell(&mut self, input: Input) {
        for effect in self.machine.step(self.now, input) {
            match effect {
                Effect::Report(reached) => self.report(reached),
                Effect::Locate | Effect::Publish { .. } => self.under_way = Some(effect),
            }
        }
    }

    fn report(&mut self, reached: Reached) {
        self.reached = reached;
        match reached {
            Reached::UpTo(seq) => {
                let held = self.server.events.len() as u64 - u64::from(self.taken_over);
                assert!(seq <= held, "told of {seq}, and the server holds {held}");
            }
            Reached::FormerOwner => {
                assert!(self.taken_over, "nobody else was there");
                self.under_way = None;
            }
        }
    }

    /// EVENTS holds 1, 2, 3 … of the owner, each once, and nothing of it after somebody else's.
    fn holds_laws(&mut self) -> Result<(), TestCaseError> {
        let events = &self.server.events;
        self.looked_at = self.looked_at.min(events.len());
        for (event, seq) in events.iter().zip(1..).skip(self.looked_at) {
            prop_assert!(event.ours || self.taken_over);
            prop_assert_eq!(event.seq, seq, "out of order or twice");
        }
        self.looked_at = events.len();
        if self.taken_over {
            prop_assert!(
                events.last().is_some_and(|last| !last.ours),
                "written after a takeover"
            );
        }
        prop_assert!(events.len() as u64 <= self.newest + u64::from(self.taken_over));
        Ok(())
    }

    /// Every fault is over: whatever can leave does, in a bounded number of steps.
    fn heals(&mut self) -> Result<(), TestCaseError> {
        self.server.refuses_batches = false;
        self.server.is_full = false;
        while let Some(late) = self.air.pop_front() {
            self.server.publish_unheard(&late);
        }
        self.reconnects();
        for _ in 0..2_000 {
            if self.under_way.is_some() {
                self.ends(Ending::Answered);
            } else if let Some(at) = self.machine.wake_at() {
                if self.rows_are_gone() {
                    return Ok(());
                }
                self.now = self.now.max(at);
                self.tell(Input::Woken);
            } else {
                break;
            }
            self.holds_laws()?;
        }
        let expected = if self.taken_over {
            Reached::FormerOwner
        } else {
            Reached::UpTo(self.newest)
        };
        prop_assert_eq!(self.reached, expected);
        if !self.taken_over {
            prop_assert_eq!(self.server.events.len() as u64, self.newest);
        }
        Ok(())
    }

    /// The server lost more than the host still had.
    fn rows_are_gone(&self) -> bool {
        !self.taken_over && self.server.last().map_or(0, |last| last.seq) < self.pruned
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_each_row_arrives_once_and_in_order_and_none_after_a_takeover(schedule in schedule()) {
        let mut world = World::new();
        for happening in &schedule {
            world.happens(happening);
            world.holds_laws()?;
        }
        world.heals()?;
    }
}

/// A machine that was told all this, and what it wants then.
fn after(newest: u64, inputs: impl IntoIterator<Item = Input>) -> (Machine, Vec<Effect>) {
    let mut machine = Machine::new(EPOCH, newest);
    let mut effects = vec![];
    for input in inputs {
        effects = machine.step(Duration::ZERO, input);
    }
    (machine, effects)
}

fn start(seq: u64) -> Position {
    Position {
        seq,
        stream_sequence: seq,
    }
}

#[test]
fn few_rows_go_one_by_one_many_as_a_batch_and_no_more_than_it_takes() {
    for (newest, manner) in [
        (1, Manner::Singles { rows_max: 1 }),
        (8, Manner::Singles { rows_max: 1 }),
        (9, Manner::Batch { rows_max: 9 }),
        (2_000, Manner::Batch { rows_max: 500 }),
    ] {
        let (_, effects) = after(newest, [Input::Located(Located::Nothing)]);
        let publish = Effect::Publish {
            after: start(0),
            manner,
        };
        assert_eq!(effects, [Effect::Report(Reached::UpTo(0)), publish]);
    }
}

#[test]
fn after_a_refused_batch_rows_go_one_by_one_until_the_server_has_let_go_of_abandoned_ones() {
    let refused = Published {
        stored: None,
        ended: Err(Trouble::BatchRefused),
    };
    let (mut machine, effects) = after(
        100,
        [Input::Located(Located::Nothing), Input::Published(refused)],
    );
    assert_eq!(effects, [Effect::Locate]);
    let manner = |machine: &mut Machine, at| match machine
        .step(Duration::from_secs(at), Input::Located(Located::Nothing))
        .pop()
    {
        Some(Effect::Publish { manner, .. }) => manner,
        other => panic!("{other:?}"),
    };
    assert_eq!(manner(&mut machine, 1), Manner::Singles { rows_max: 64 });
    let lost = Published {
        stored: None,
        ended: Err(Trouble::NoAnswer),
    };
    let _ = machine.step(Duration::from_secs(2), Input::Published(lost));
    let _ = machine.step(Duration::from_secs(11), Input::Woken);
    assert_eq!(manner(&mut machine, 11), Manner::Batch { rows_max: 100 });
}

#[test]
fn a_server_that_refuses_again_and_again_is_asked_less_and_less_often() {
    let full = Published {
        stored: None,
        ended: Err(Trouble::NotTaken),
    };
    let mut machine = Machine::new(EPOCH, 1);
    let mut now = Duration::ZERO;
    let mut pauses = vec![];
    for _ in 0..10 {
        let _ = machine.step(now, Input::Located(Located::Nothing));
        let _ = machine.step(now, Input::Published(full));
        let at = machine.wake_at().unwrap();
        pauses.push((at - now).as_millis());
        now = at;
        assert_eq!(machine.step(now, Input::Woken), [Effect::Locate]);
    }
    assert_eq!(pauses.first(), Some(&1_000));
    assert_eq!(pauses.last(), Some(&3_000));
}
