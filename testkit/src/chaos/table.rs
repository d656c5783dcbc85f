//! What was seen, cell by cell.

use std::time::Duration;

use super::agent::Agent;
use super::fault::Fault;
use super::laws::Verdict;
use super::moment::Moment;

/// One cell: a fault at a moment.
#[derive(Debug)]
pub struct Row {
    pub agent: Agent,
    pub fault: Fault,
    pub moment: Moment,
    /// How often the fault struck.
    pub rounds: usize,
    /// How many sessions it found at the moment.
    pub sessions: usize,
    pub ran: usize,
    pub denied: usize,
    pub unknown: usize,
    pub withdrawn: usize,
    /// Sessions whose person had to send something again.
    pub sent_again: usize,
    /// From the end of the fault to the session's rest, all decided.
    pub recoveries: Vec<Duration>,
    pub violations: Vec<String>,
}

impl Row {
    pub(super) const fn new(agent: Agent, fault: Fault, moment: Moment) -> Self {
        Self {
            agent,
            fault,
            moment,
            rounds: 0,
            sessions: 0,
            ran: 0,
            denied: 0,
            unknown: 0,
            withdrawn: 0,
            sent_again: 0,
            recoveries: Vec::new(),
            violations: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, verdict: Verdict, recovery: Duration) {
        self.sessions += 1;
        self.ran += verdict.ran;
        self.denied += verdict.denied;
        self.unknown += verdict.unknown;
        self.withdrawn += verdict.withdrawn;
        self.sent_again += usize::from(verdict.sent_again);
        self.recoveries.push(recovery);
        self.violations.extend(verdict.violations);
    }

    /// Half of the sessions took no longer than this; None when none came back.
    #[must_use]
    pub fn median(&self) -> Option<Duration> {
        let mut sorted = self.recoveries.clone();
        sorted.sort();
        sorted.get(sorted.len().checked_sub(1)? / 2).copied()
    }

    /// One line of a table in markdown.
    #[must_use]
    pub fn line(&self) -> String {
        let seconds = |time: Option<Duration>| {
            time.map_or("—".to_owned(), |time| {
                format!("{:.1}", time.as_secs_f64())
            })
        };
        format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            self.agent.name(),
            self.fault.name(),
            self.moment.name(),
            self.rounds,
            self.sessions,
            self.ran,
            self.denied,
            self.unknown,
            self.withdrawn,
            self.sent_again,
            seconds(self.median()),
            seconds(self.recoveries.iter().max().copied()),
            self.violations.len(),
        )
    }

    /// What the columns of [`Row::line`] are.
    pub const HEAD: &str = "| agent | fault | moment | rounds | sessions | ran once | denied, not run | unknown | withdrawn | sent again | median s | longest s | violations |\n\
        |---|---|---|---|---|---|---|---|---|---|---|---|---|";
}

/// Every cell that was run.
#[derive(Debug, Default)]
pub struct Table {
    pub rows: Vec<Row>,
    /// Faults that this machine does not let us make.
    pub not_run: Vec<Fault>,
}

impl Table {
    #[must_use]
    pub fn violations(&self) -> usize {
        self.rows.iter().map(|row| row.violations.len()).sum()
    }
}
