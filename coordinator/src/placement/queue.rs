//! Which of those that wait come next, and where: fair between people, oldest first for each of them.
//!
//! Whoever has the fewest sessions at work comes first, so that somebody who asks for thirty at once does not stand
//! before somebody who asks for one. Whatever does not fit lets those behind it go by: a session that waits for one
//! host keeps nobody from another.

use std::collections::BTreeSet;

use nats::Timestamp;
use nats::ids::{HostName, SessionId, UserId};

use super::choose::{Choice, Placed, choose};
use super::load::Loads;
use super::obstacle::Obstacle;
use super::wanted::{Refused, Wanted};
use crate::hosts::View;

/// One session that wants a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub session: SessionId,
    pub by: UserId,
    pub since: Timestamp,
    pub wanted: Wanted,
}

/// What becomes of all of them now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// In the order in which they should start.
    pub placed: Vec<(SessionId, Placed)>,
    /// Those that go on waiting, the next one first.
    pub waits: Vec<(SessionId, Waits)>,
}

/// Why a session waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waits {
    Hosts(Vec<(HostName, Obstacle)>),
    /// What could be had when it was asked for cannot be had any more.
    Hopeless(Refused),
}

impl Waits {
    /// In a sentence without a stop.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Hosts(hosts) if hosts.is_empty() => "no host is known".to_owned(),
            Self::Hosts(hosts) => hosts
                .iter()
                .map(|(host, obstacle)| format!("{host}: {obstacle}"))
                .collect::<Vec<_>>()
                .join("; "),
            Self::Hopeless(refused) => refused.to_string().trim_end_matches('.').to_owned(),
        }
    }
}

/// Places as many as fit.
#[must_use]
pub fn plan(requests: &[Request], view: &View, loads: &Loads) -> Plan {
    let mut loads = loads.clone();
    let mut plan = Plan::default();
    let mut left: BTreeSet<usize> = (0..requests.len()).collect();
    while let Some((index, placed)) = next(&left, requests, view, &loads) {
        let request = &requests[index];
        loads.add(&placed.host, request.by);
        plan.placed.push((request.session, placed));
        left.remove(&index);
    }
    // Each one's place in the line is where it would be if slots came free one by one.
    let mut line = loads.clone();
    while let Some(index) = first(&left, requests, &line) {
        let request = &requests[index];
        let waits = match choose(&request.wanted, view, &loads) {
            Ok(Choice::Waits(hosts)) => Waits::Hosts(hosts),
            Ok(Choice::On(_)) => unreachable!("whatever fits was placed above"),
            Err(refused) => Waits::Hopeless(refused),
        };
        plan.waits.push((request.session, waits));
        line.add(&HostName::queued(), request.by);
        left.remove(&index);
    }
    plan
}

/// The first in the line that fits somewhere.
fn next(
    left: &BTreeSet<usize>,
    requests: &[Request],
    view: &View,
    loads: &Loads,
) -> Option<(usize, Placed)> {
    let mut line: Vec<usize> = left.iter().copied().collect();
    line.sort_by_key(|index| rank(&requests[*index], loads));
    line.into_iter()
        .find_map(|index| match choose(&requests[index].wanted, view, loads) {
            Ok(Choice::On(placed)) => Some((index, placed)),
            Ok(Choice::Waits(_)) | Err(_) => None,
        })
}

fn first(left: &BTreeSet<usize>, requests: &[Request], loads: &Loads) -> Option<usize> {
    left.iter()
        .copied()
        .min_by_key(|index| rank(&requests[*index], loads))
}

fn rank(request: &Request, loads: &Loads) -> (u32, i64, SessionId) {
    let since = request.since.milliseconds();
    (loads.person(request.by), since, request.session)
}
