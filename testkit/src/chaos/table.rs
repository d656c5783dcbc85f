//! What was seen, cell by cell, put together from the lines of one or more runs.

use std::collections::BTreeMap;
use std::time::Duration;

use super::agent::Agent;
use super::fault::Fault;
use super::moment::Moment;
use super::record::{Cell, Line, NotRun, Round, Run, Seen};

/// One cell: a fault at a moment.
#[derive(Debug, Default)]
pub struct Row {
    /// How often the fault struck.
    pub rounds: usize,
    /// How many sessions it found at the moment, and what came of them.
    pub sessions: usize,
    pub seen: Seen,
    /// How often the moment did not come, so that nothing was struck.
    pub missed: usize,
    /// From the end of the fault to the session's rest, all decided.
    pub recoveries: Vec<Duration>,
    pub violations: Vec<String>,
}

/// Every cell that was run, in the order of the table.
#[derive(Debug, Default)]
pub struct Table {
    pub rows: BTreeMap<Place, Row>,
    pub runs: Vec<Run>,
    /// Faults that a machine did not let us make.
    pub not_run: Vec<NotRun>,
    /// Seconds that the runs took together.
    pub elapsed_s: u64,
    pub broken_off: bool,
    /// Of the machine, before each strike.
    pub loads: Vec<f64>,
}

/// Where a cell stands: agents, faults and moments in the order in which they are listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    order: (usize, usize, usize),
    pub cell: Cell,
}

impl Place {
    fn of(cell: &Cell) -> Self {
        let among = |names: &[&str], name: &str| {
            let found = names.iter().position(|it| *it == name);
            found.unwrap_or(names.len())
        };
        Self {
            order: (
                among(&Agent::ALL.map(Agent::name), &cell.agent),
                among(&Fault::ALL.map(Fault::name), &cell.fault),
                among(&Moment::ALL.map(Moment::name), &cell.moment),
            ),
            cell: cell.clone(),
        }
    }
}

impl Table {
    #[must_use]
    pub fn of(lines: &[Line]) -> Self {
        let mut table = Self::default();
        for line in lines {
            match line {
                Line::Run(run) => table.runs.push(run.clone()),
                Line::Round(round) => table.add(round),
                Line::Missed(missed) => {
                    table
                        .rows
                        .entry(Place::of(&missed.cell))
                        .or_default()
                        .missed += 1;
                }
                Line::NotRun(not_run) => table.not_run.push(not_run.clone()),
                Line::End(end) => {
                    table.elapsed_s += end.elapsed_s;
                    // A run that goes on from another does the rest of it.
                    table.broken_off = end.broken_off;
                }
            }
        }
        table
    }

    fn add(&mut self, round: &Round) {
        self.loads.push(round.load);
        let row = self.rows.entry(Place::of(&round.cell)).or_default();
        row.rounds += 1;
        row.sessions += round.sessions.len();
        for seen in &round.sessions {
            row.seen.add(seen);
            row.recoveries
                .extend(seen.recovery_ms.map(Duration::from_millis));
        }
        let violations = round.violations.iter();
        row.violations
            .extend(violations.map(|words| format!("round {}: {words}", round.round)));
    }

    #[must_use]
    pub fn violations(&self) -> usize {
        self.rows.values().map(|row| row.violations.len()).sum()
    }
}

impl Seen {
    fn add(&mut self, other: &Self) {
        self.ran += other.ran;
        self.denied += other.denied;
        self.unknown += other.unknown;
        self.withdrawn += other.withdrawn;
        self.refused += other.refused;
        self.cut_off += other.cut_off;
    }
}

impl Row {
    /// Half of the sessions took no longer than this; None when none came back.
    #[must_use]
    pub fn median(&self) -> Option<Duration> {
        let mut sorted = self.recoveries.clone();
        sorted.sort();
        sorted.get(sorted.len().checked_sub(1)? / 2).copied()
    }

    /// One line of a table in markdown.
    #[must_use]
    pub fn line(&self, cell: &Cell) -> String {
        let seconds = |time: Option<Duration>| {
            time.map_or("—".to_owned(), |time| {
                format!("{:.1}", time.as_secs_f64())
            })
        };
        format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            cell.agent,
            cell.fault,
            cell.moment,
            self.rounds,
            self.missed,
            self.sessions,
            self.seen.ran,
            self.seen.denied,
            self.seen.unknown,
            self.seen.withdrawn,
            self.seen.refused,
            self.seen.cut_off,
            seconds(self.median()),
            seconds(self.recoveries.iter().max().copied()),
            self.violations.len(),
        )
    }

    /// What the columns of [`Row::line`] are.
    pub const HEAD: &str = "| agent | fault | moment | rounds | missed | sessions | ran once | denied, not run | unknown | withdrawn | refused | cut off | median s | longest s | violations |\n\
        |---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|";
}
