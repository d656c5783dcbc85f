//! What hosts and people hold, counted from how sessions stand.

use std::collections::HashMap;

use nats::event::State;
use nats::ids::{HostName, UserId};

/// One session that has not ended, as far as slots go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub host: HostName,
    pub by: UserId,
    pub holding: Holding,
}

/// What a session takes of its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// A slot, or the next one: it works, waits for a person, begins, or is on its way.
    Busy,
    /// A slot that it gives up for a session that has work.
    Resting,
    /// Nothing: its agent is gone.
    Nothing,
}

impl Holding {
    /// From the state that its host told last, and whether that came with a reason: a session that waits with a reason
    /// is one whose agent was stopped meanwhile.
    #[must_use]
    pub const fn of(told: Option<State>, has_reason: bool) -> Self {
        match told {
            None | Some(State::Queued | State::Starting | State::Working) => Self::Busy,
            Some(State::Waiting) if !has_reason => Self::Busy,
            Some(State::Idle) => Self::Resting,
            Some(State::Waiting | State::Asleep | State::Lost | State::Ended) => Self::Nothing,
        }
    }
}

/// How full one host is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HostLoad {
    pub busy: u32,
    pub resting: u32,
    /// Its runner has refused a start and has not shown a free slot since.
    pub said_to_be_full: bool,
}

/// How full all of them are, and how much each person has running.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loads {
    hosts: HashMap<HostName, HostLoad>,
    people: HashMap<UserId, u32>,
}

impl Loads {
    #[must_use]
    pub fn of(sessions: &[Held]) -> Self {
        let mut loads = Self::default();
        for held in sessions {
            let host = loads.hosts.entry(held.host.clone()).or_default();
            match held.holding {
                Holding::Busy => {
                    host.busy += 1;
                    *loads.people.entry(held.by).or_default() += 1;
                }
                Holding::Resting => host.resting += 1,
                Holding::Nothing => {}
            }
        }
        loads
    }

    pub fn say_full(&mut self, host: &HostName) {
        self.hosts.entry(host.clone()).or_default().said_to_be_full = true;
    }

    #[must_use]
    pub fn host(&self, host: &HostName) -> HostLoad {
        self.hosts.get(host).copied().unwrap_or_default()
    }

    /// How many sessions of theirs are at work.
    #[must_use]
    pub fn person(&self, person: UserId) -> u32 {
        self.people.get(&person).copied().unwrap_or_default()
    }

    /// One more session there, of this person.
    pub(super) fn add(&mut self, host: &HostName, by: UserId) {
        self.hosts.entry(host.clone()).or_default().busy += 1;
        *self.people.entry(by).or_default() += 1;
    }
}
