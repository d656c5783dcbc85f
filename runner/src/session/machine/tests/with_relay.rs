//! A whole session at work: its machine, its log, its relay, a server, a shim and an agent, with crashes everywhere.
//!
//! What is recorded survives, what is only in memory does not, and output that was not recorded as read is read again:
//! as the session's task, its log and its shim have it. The agent keeps a ledger of what it was told and what it ran;
//! the laws are read from that ledger and from what the server holds, never from what the session says of itself.

mod agent;
mod world;

use proptest::prelude::*;

use self::world::World;

#[derive(Debug, Clone)]
pub(super) enum Happening {
    /// A person's doing, sent as a command until it is recorded.
    Send,
    Decide(u8, bool),
    Stop,
    Interrupt,
    /// The agent's doing.
    Ask(u8),
    Finish(u8),
    TurnOver,
    AgentDies,
    /// Agent, shim and all that they knew.
    ShimDies,
    AgentReads(bool),
    /// The session's task hears one thing from its shim.
    Hears,
    NotAsked,
    Sleep,
    DiskLow(bool),
    /// The relay's operation ends: with its answer or without, done or not.
    RelayEnds {
        done: bool,
        answered: bool,
    },
    TimePasses,
    Full(bool),
    BatchesRefused(bool),
    ServerRestarts(usize),
    /// The runner dies: now, or in the middle of its next step, before or after that is on the disk.
    Crash,
    CrashInStep {
        recorded: bool,
    },
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        2 => Just(Happening::Send),
        5 => (0..3_u8, prop::bool::weighted(0.7)).prop_map(|(tool, allow)| Happening::Decide(tool, allow)),
        1 => prop::bool::weighted(0.2).prop_map(|stop| if stop { Happening::Stop } else { Happening::Interrupt }),
        5 => (0..3_u8).prop_map(Happening::Ask),
        3 => (0..3_u8).prop_map(Happening::Finish),
        1 => Just(Happening::TurnOver),
        1 => Just(Happening::AgentDies),
        1 => Just(Happening::ShimDies),
        1 => any::<bool>().prop_map(Happening::AgentReads),
        14 => Just(Happening::Hears),
        1 => prop_oneof![Just(Happening::NotAsked), Just(Happening::Sleep)],
        1 => any::<bool>().prop_map(Happening::DiskLow),
        10 => (prop::bool::weighted(0.8), prop::bool::weighted(0.8)).prop_map(|(done, answered)| Happening::RelayEnds { done, answered }),
        2 => Just(Happening::TimePasses),
        1 => any::<bool>().prop_map(Happening::Full),
        1 => any::<bool>().prop_map(Happening::BatchesRefused),
        1 => (0..4_usize).prop_map(Happening::ServerRestarts),
        1 => Just(Happening::Crash),
        2 => any::<bool>().prop_map(|recorded| Happening::CrashInStep { recorded }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold_for_a_session_and_its_relay_whatever_dies_and_whatever_is_lost(
        happenings in prop::collection::vec(happening(), 1..90),
    ) {
        let mut world = World::new();
        for it in &happenings {
            world.happens(it);
        }
        world.heals();
        // Ledger and log only grow, and each entry says what the server held by then: one look sees every moment.
        world.holds_laws()?;
        world.has_settled()?;
    }
}
