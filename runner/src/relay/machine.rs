//! The relay's decisions, as a pure machine: no clock, no IO, no tasks.
//!
//! One thing is under way at a time: reading where the server's copy of the log ends, or publishing what follows. Every
//! answer that was lost, late or a refusal leads back to reading, because only the session's last event on the server
//! tells what became of a publish. It deliberately knows nothing of what the rows hold, nor how they travel.
//!
//! A publish that was given up may still arrive: it waits in the client's buffer while there is no connection. It names
//! the last event that it follows, so it is stored where it belongs or refused; both are found out by reading again.

use std::time::Duration;

use nats::client::{EVENT_BATCH_MAX, EVENT_SINGLES_MAX};

/// The server frees abandoned batches after ten seconds; until then singles work.
const PAUSE_FROM_BATCHES: Duration = Duration::from_secs(10);
/// Rows of one round of singles while batches are refused: what is stored is told at least this often.
const SINGLES_OF_MANY_MAX: usize = 64;
/// The first trouble is answered at once, as most are over when they are seen; each further one waits twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(3);
/// A full stream is not emptied within milliseconds.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_secs(1);
/// Rows that are gone come back only with the server's copy, if an operator restores a newer one.
const PAUSE_WITHOUT_ROWS: Duration = Duration::from_secs(60);

/// The newest of our events that the server holds; zeros for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub seq: u64,
    pub stream_sequence: u64,
}

/// How far the server's copy of the log reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    UpTo(u64),
    /// Somebody else writes this session's events now.
    FormerOwner,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The log has grown to this seq.
    Newest(u64),
    /// There is a server again: it may not hold what an earlier one did.
    Reconnected,
    /// The answer to [`Effect::Locate`].
    Located(Located),
    /// The answer to [`Effect::Publish`].
    Published(Published),
    /// The time of [`Machine::wake_at`] has come.
    Woken,
}

/// The session's last event, as the server has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Located {
    Nothing,
    Last(Last),
    Unreadable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Last {
    pub epoch: u64,
    pub position: Position,
    /// Whether our log has this very event under this seq. An event that is no longer kept counts as ours.
    pub ours: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The newest row that was stored, if one was.
    pub stored: Option<Position>,
    pub ended: Result<(), Trouble>,
}

/// Why rows did not all leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// No answer: stored, lost, or still on its way.
    NoAnswer,
    /// The server holds another last event than we thought.
    WrongLast,
    BatchRefused,
    /// A full stream, or another refusal that says nothing of who owns the session.
    NotTaken,
    /// The rows could not be read, or an object that one of them needs could not be stored.
    NotReady,
    /// The log no longer has the rows that the server needs next.
    RowsGone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Read the session's last event. Takes the place of whatever is under way.
    Locate,
    /// Publish the rows after this position. Takes the place of whatever is under way.
    Publish {
        after: Position,
        manner: Manner,
    },
    Report(Reached),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// One after another, each acknowledged before the next.
    Singles { rows_max: usize },
    /// All or none.
    Batch { rows_max: usize },
}

#[derive(Debug)]
pub struct Machine {
    epoch: u64,
    newest: u64,
    phase: Phase,
    /// The furthest that was seen on the server since the last trouble-free round.
    progress: u64,
    /// Troubles in a row without any progress between them.
    troubles: u32,
    batches_from: Duration,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Locating,
    Publishing,
    /// The server has everything up to here, and there is nothing else.
    Resting(Position),
    Pausing {
        until: Duration,
    },
    Stopped,
}

impl Machine {
    /// Of a session whose log reaches `newest`. The first thing to do is [`Effect::Locate`].
    #[must_use]
    pub const fn new(epoch: u64, newest: u64) -> Self {
        Self {
            epoch,
            newest,
            phase: Phase::Locating,
            progress: 0,
            troubles: 0,
            batches_from: Duration::ZERO,
        }
    }

    /// When [`Input::Woken`] is wanted.
    #[must_use]
    pub const fn wake_at(&self) -> Option<Duration> {
        match self.phase {
            Phase::Pausing { until } => Some(until),
            Phase::Locating | Phase::Publishing | Phase::Resting(_) | Phase::Stopped => None,
        }
    }

    /// Answers one input; `now` counts from any fixed moment.
    #[must_use]
    pub fn step(&mut self, now: Duration, input: Input) -> Vec<Effect> {
        match (self.phase, input) {
            (Phase::Stopped, _) => vec![],
            (Phase::Resting(position), Input::Newest(newest)) => {
                self.newest = newest;
                self.go_on(now, position)
            }
            (_, Input::Newest(newest)) => {
                self.newest = newest;
                vec![]
            }
            (Phase::Locating, Input::Located(located)) => self.located(now, located),
            (Phase::Publishing, Input::Published(published)) => self.published(now, published),
            // Idle sessions find out as well when the server has lost something, or when they have lost the session.
            (Phase::Resting(_), Input::Reconnected) => self.locate(),
            (Phase::Pausing { .. }, Input::Reconnected) => self.locate(),
            (Phase::Pausing { until }, Input::Woken) if now >= until => self.locate(),
            // What is under way over the old connection ends by itself.
            (_, Input::Reconnected | Input::Woken) => vec![],
            // An answer to something that was given up.
            (_, Input::Located(_) | Input::Published(_)) => vec![],
        }
    }

    fn located(&mut self, now: Duration, located: Located) -> Vec<Effect> {
        let position = match located {
            Located::Unreadable => return self.after_trouble(now, Duration::ZERO),
            Located::Nothing => Position {
                seq: 0,
                stream_sequence: 0,
            },
            Located::Last(last) => {
                let is_ours =
                    last.epoch == self.epoch && last.ours && last.position.seq <= self.newest;
                if !is_ours {
                    self.phase = Phase::Stopped;
                    return vec![Effect::Report(Reached::FormerOwner)];
                }
                last.position
            }
        };
        self.note_progress(position.seq);
        // Further back than before is told as well: what the server has lost is not acknowledged any more.
        let mut effects = vec![Effect::Report(Reached::UpTo(position.seq))];
        effects.extend(self.go_on(now, position));
        effects
    }

    fn published(&mut self, now: Duration, published: Published) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Some(position) = published.stored {
            self.note_progress(position.seq);
            effects.push(Effect::Report(Reached::UpTo(position.seq)));
        }
        effects.extend(match (published.ended, published.stored) {
            (Ok(()), Some(position)) => {
                self.troubles = 0;
                self.go_on(now, position)
            }
            // Nothing was there to be published: the server's copy is looked at again before anything else is done.
            (Ok(()), None) => self.after_trouble(now, PAUSE_MIN),
            (Err(Trouble::NoAnswer | Trouble::WrongLast), _) => {
                self.after_trouble(now, Duration::ZERO)
            }
            (Err(Trouble::BatchRefused), _) => {
                self.batches_from = now + PAUSE_FROM_BATCHES;
                self.after_trouble(now, Duration::ZERO)
            }
            (Err(Trouble::NotTaken | Trouble::NotReady), _) => {
                self.after_trouble(now, PAUSE_AFTER_REFUSAL)
            }
            (Err(Trouble::RowsGone), _) => self.after_trouble(now, PAUSE_WITHOUT_ROWS),
        });
        effects
    }

    /// Publishes what follows, if anything does.
    fn go_on(&mut self, now: Duration, after: Position) -> Vec<Effect> {
        let waiting = usize::try_from(self.newest.saturating_sub(after.seq)).unwrap_or(usize::MAX);
        if waiting == 0 {
            self.phase = Phase::Resting(after);
            return vec![];
        }
        let manner = if waiting <= EVENT_SINGLES_MAX {
            // Each is told as soon as it is there: a decision that is first of them lets its agent go on.
            Manner::Singles { rows_max: 1 }
        } else if now < self.batches_from {
            Manner::Singles {
                rows_max: waiting.min(SINGLES_OF_MANY_MAX),
            }
        } else {
            Manner::Batch {
                rows_max: waiting.min(EVENT_BATCH_MAX),
            }
        };
        self.phase = Phase::Publishing;
        vec![Effect::Publish { after, manner }]
    }

    fn after_trouble(&mut self, now: Duration, pause_min: Duration) -> Vec<Effect> {
        let doubled = if self.troubles == 0 {
            Duration::ZERO
        } else {
            PAUSE_MIN.saturating_mul(1 << (self.troubles - 1).min(10))
        };
        self.troubles = self.troubles.saturating_add(1);
        let pause = doubled.min(PAUSE_MAX).max(pause_min);
        if pause.is_zero() {
            return self.locate();
        }
        self.phase = Phase::Pausing { until: now + pause };
        vec![]
    }

    fn note_progress(&mut self, seq: u64) {
        if seq > self.progress {
            self.troubles = 0;
        }
        self.progress = seq;
    }

    fn locate(&mut self) -> Vec<Effect> {
        self.phase = Phase::Locating;
        vec![Effect::Locate]
    }
}
