//! The host for one session.

use std::cmp::{Ordering, Reverse};

use nats::ids::HostName;

use super::load::{HostLoad, Loads};
use super::obstacle::{Obstacle, obstacle};
use super::wanted::{Refused, Wanted};
use crate::hosts::{Host, View};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    pub host: HostName,
    /// Why there, in a sentence.
    pub reason: String,
}

/// What becomes of a session now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    On(Placed),
    /// Nowhere yet, and why not on each host that could have it one day.
    Waits(Vec<(HostName, Obstacle)>),
}

/// Chooses the host that is least full for its size, then the one with most free memory, then the first by name. One
/// with an empty slot goes before one where a resting agent would have to make room. Refused when no host could ever
/// take it as they are.
pub fn choose(wanted: &Wanted, view: &View, loads: &Loads) -> Result<Choice, Refused> {
    let asked = |host: &&Host| {
        wanted
            .only_on
            .as_ref()
            .is_none_or(|only| *only == host.record.host)
    };
    let mut obstacles = Vec::new();
    let mut fitting: Vec<(&Host, HostLoad)> = Vec::new();
    for host in view.hosts.values().filter(asked) {
        let load = loads.host(&host.record.host);
        match obstacle(wanted, host, &load) {
            Some(obstacle) => obstacles.push((host.record.host.clone(), obstacle)),
            None => fitting.push((host, load)),
        }
    }
    if let Some((host, load)) = fitting.iter().min_by(|one, other| fuller(one, other)) {
        return Ok(Choice::On(Placed {
            host: host.record.host.clone(),
            reason: reason(wanted, host, load, fitting.len()),
        }));
    }
    if let Some((host, nearest)) = hopeless(&obstacles) {
        return Err(nearest.clone().refusal(host, wanted, view));
    }
    // Hosts that lack something for good say nothing about the wait, unless nothing else is there to say.
    let mut told = obstacles.clone();
    told.retain(|(_, obstacle)| !obstacle.stays());
    Ok(Choice::Waits(if told.is_empty() {
        obstacles
    } else {
        told
    }))
}

/// Of a session that every host refuses for good, the refusal that is nearest to being mended.
fn hopeless(obstacles: &[(HostName, Obstacle)]) -> Option<&(HostName, Obstacle)> {
    if !obstacles.iter().all(|(_, obstacle)| obstacle.stays()) {
        return None;
    }
    obstacles
        .iter()
        .min_by_key(|(host, obstacle)| (obstacle.distance(), host.clone()))
}

/// The emptier one first.
fn fuller(one: &(&Host, HostLoad), other: &(&Host, HostLoad)) -> Ordering {
    let has_no_empty_slot =
        |(host, load): &(&Host, HostLoad)| load.busy + load.resting >= host.record.slots;
    // Compared as fractions, without dividing.
    let weighed = |(_, load): &(&Host, HostLoad), against: &Host| {
        u64::from(load.busy + load.resting) * u64::from(against.record.slots)
    };
    let free_memory = |(host, _): &(&Host, HostLoad)| {
        let presence = host.presence.as_ref();
        Reverse(presence.map_or(0, |presence| presence.memory_free_bytes))
    };
    has_no_empty_slot(one)
        .cmp(&has_no_empty_slot(other))
        .then_with(|| weighed(one, other.0).cmp(&weighed(other, one.0)))
        .then_with(|| free_memory(one).cmp(&free_memory(other)))
        .then_with(|| one.0.record.host.cmp(&other.0.record.host))
}

fn reason(wanted: &Wanted, host: &Host, load: &HostLoad, fitting: usize) -> String {
    let slots = host.record.slots;
    let taken = load.busy + load.resting;
    let room = if taken < slots {
        format!("{} of its {slots} slots were free", slots - taken)
    } else {
        format!("a resting agent makes room on its {slots} slots")
    };
    let labels: Vec<String> = wanted
        .host_labels
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let labels = if labels.is_empty() {
        String::new()
    } else {
        format!(", bears {}", labels.join(" "))
    };
    match (&wanted.only_on, fitting) {
        (Some(_), _) => format!("asked for; {room}"),
        (None, 1) => {
            format!("the only host that fits: it has the project and the agent{labels}, and {room}")
        }
        (None, hosts) => format!(
            "the emptiest of {hosts} hosts that have the project and the agent{labels}: {room}"
        ),
    }
}
