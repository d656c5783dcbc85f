//! The slots of this host: how many agents may run at once, and whose turn it is.
//!
//! Owns the table that says so and the word to each session when its standing there changes. Deliberately knows
//! nothing of agents: a session takes a seat before it starts one, and leaves it once that is gone.

mod table;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nats::ids::SessionId;
use tokio::sync::watch;

use self::table::Table;
pub use self::table::{Counts, Standing};
use crate::presence::Memory;

/// What an agent at work may take, and some room for what it starts.
const BYTES_A_SLOT: u64 = 1 << 30;
const DEFAULT_MIN: u64 = 2;
const DEFAULT_MAX: u64 = 64;

/// How many slots a machine has of which nobody said so: agents wait for their model most of the time, so it is memory
/// that they need, and not cores.
#[must_use]
pub fn default_slots() -> u32 {
    let slots = (Memory::now().total_bytes / BYTES_A_SLOT).clamp(DEFAULT_MIN, DEFAULT_MAX);
    u32::try_from(slots).unwrap_or(u32::MAX)
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Slots {
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    table: Table<SessionId>,
    /// One a session that is at work here, with the number of its seat.
    seats: BTreeMap<SessionId, (u64, watch::Sender<Standing>)>,
    seats_given: u64,
}

impl Slots {
    #[must_use]
    pub fn new(slots: u32) -> Self {
        let slots = usize::try_from(slots).unwrap_or(usize::MAX);
        Self {
            shared: Arc::new(Mutex::new(Shared {
                table: Table::new(slots),
                seats: BTreeMap::new(),
                seats_given: 0,
            })),
        }
    }

    /// Every session that was here before has said whether its agent runs: now slots are given.
    pub fn open(&self) {
        self.change(Table::open);
    }

    /// Reserves a slot for a session that is about to begin here. False when it would have to wait for one that works.
    #[must_use]
    pub fn reserve(&self, session: SessionId) -> bool {
        let mut admitted = true;
        self.change(|table| {
            admitted = table.standing(session) != Standing::Without || table.admits();
            if admitted {
                table.take(session);
            }
        });
        admitted
    }

    /// Nothing came of it.
    pub fn give_back(&self, session: SessionId) {
        self.change(|table| table.leave(session));
    }

    /// The way by which a session's task takes its slot and hears of it. One at a time for each session.
    #[must_use]
    pub fn seat(&self, session: SessionId) -> Seat {
        let mut shared = self.lock();
        let (sender, standing) = watch::channel(shared.table.standing(session));
        shared.seats_given += 1;
        let number = shared.seats_given;
        shared.seats.insert(session, (number, sender));
        drop(shared);
        Seat {
            slots: self.clone(),
            session,
            number,
            standing,
            rests: false,
        }
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lock().table.counts()
    }

    fn change(&self, change: impl FnOnce(&mut Table<SessionId>)) {
        let mut shared = self.lock();
        change(&mut shared.table);
        for (session, (_, sender)) in &shared.seats {
            let standing = shared.table.standing(*session);
            sender.send_if_modified(|known| std::mem::replace(known, standing) != standing);
        }
    }

    /// A panic elsewhere ends the process, so a poisoned lock is never met with half-made changes.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One session's place at the table; left when it is dropped.
pub struct Seat {
    slots: Slots,
    session: SessionId,
    number: u64,
    standing: watch::Receiver<Standing>,
    rests: bool,
}

impl Seat {
    /// Takes a slot, or a place behind those who wait.
    pub fn take(&self) -> Standing {
        if self.standing() == Standing::Without {
            self.slots.change(|table| table.take(self.session));
        }
        self.standing()
    }

    /// The agent runs already.
    pub fn hold(&self) {
        self.slots.change(|table| table.hold(self.session));
    }

    /// The agent is gone, and none is wanted.
    pub fn leave(&mut self) {
        self.rests = false;
        if self.standing() != Standing::Without {
            self.slots.change(|table| table.leave(self.session));
        }
    }

    /// Whether the agent has nothing to do.
    pub fn rest(&mut self, rests: bool) {
        if self.rests != rests {
            self.rests = rests;
            self.slots.change(|table| table.rest(self.session, rests));
        }
    }

    #[must_use]
    pub fn standing(&self) -> Standing {
        *self.standing.borrow()
    }

    /// The standing once it is another. Cancel-safe.
    pub async fn changed(&mut self) -> Standing {
        if self.standing.changed().await.is_err() {
            // Another seat of this session has replaced it.
            std::future::pending::<()>().await;
        }
        *self.standing.borrow_and_update()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut shared = self.slots.lock();
        let ours = shared
            .seats
            .get(&self.session)
            .is_some_and(|(number, _)| *number == self.number);
        if ours {
            shared.seats.remove(&self.session);
        }
        drop(shared);
        if ours {
            self.slots.change(|table| table.leave(self.session));
        }
    }
}
