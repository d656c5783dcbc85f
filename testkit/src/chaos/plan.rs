//! What a run has to do, cut into pieces that each have a fleet of their own. Knows costs, not how anything is done.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use super::agent::Agent;
use super::fault::Fault;
use super::moment::Moment;
use super::record::{self, Line};
use super::run::Settings;

/// Some rounds of one cell, on one fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub agent: Agent,
    pub fault: Fault,
    pub moment: Moment,
    pub rounds: Range<usize>,
    /// How long each round lasts at least.
    silence: Duration,
}

/// What a round takes beside its silence, roughly.
const WORK: Duration = Duration::from_secs(6);
/// Pieces are about this long, so that a run has no long tail; but a fleet is worth some rounds.
const LENGTH: Duration = Duration::from_secs(120);
const ROUNDS_MIN: u128 = 2;
const ROUNDS_MAX: u128 = 7;
/// Whoever is silent for so long leaves the processor to others.
const WAITS: Duration = Duration::from_secs(10);

impl Piece {
    pub(super) fn cell(&self) -> record::Cell {
        record::Cell {
            agent: self.agent.name().to_owned(),
            fault: self.fault.name().to_owned(),
            moment: self.moment.name().to_owned(),
        }
    }

    /// It waits most of the time, so that many of its kind go side by side.
    pub(super) fn waits(&self) -> bool {
        self.silence >= WAITS
    }

    /// How long it takes, roughly.
    pub(super) fn length(&self) -> Duration {
        let rounds = u32::try_from(self.rounds.len()).unwrap_or(u32::MAX);
        (self.silence + WORK).saturating_mul(rounds)
    }
}

/// What is left to do after `done`, the longest rounds first.
pub(super) fn pieces(settings: &Settings, done: &[Line]) -> Vec<Piece> {
    let done = rounds_done(done);
    let mut pieces = Vec::new();
    for &agent in &settings.agents {
        for &fault in &settings.faults {
            for &moment in &settings.moments {
                if !agent.is_struck(fault, moment) {
                    continue;
                }
                let piece = |rounds| Piece {
                    agent,
                    fault,
                    moment,
                    rounds,
                    silence: settings.silences.of(fault),
                };
                let first = done.get(&piece(0..0).cell()).copied().unwrap_or(0);
                let length = piece(0..1).length().as_millis();
                let at_once = (LENGTH.as_millis() / length).clamp(ROUNDS_MIN, ROUNDS_MAX);
                let at_once = usize::try_from(at_once).unwrap_or(1);
                for start in (first..settings.rounds).step_by(at_once) {
                    pieces.push(piece(start..settings.rounds.min(start + at_once)));
                }
            }
        }
    }
    pieces.sort_by_key(|piece| std::cmp::Reverse(piece.silence));
    pieces
}

fn rounds_done(lines: &[Line]) -> BTreeMap<record::Cell, usize> {
    let mut done = BTreeMap::new();
    for line in lines {
        if let Line::Round(round) = line {
            *done.entry(round.cell.clone()).or_default() += 1;
        }
    }
    done
}
