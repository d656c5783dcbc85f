//! The heartbeat: a task of its own, so that nothing the runner does can make its host look silent.

use nats::client::Records;
use nats::ids::HostName;
use nats::record::{Presence, SlotReport};
use nats::stream::{BEAT_EVERY, Bucket, PRESENCE_TTL};
use nats::{Client, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::inbox::Refused;
use crate::slots::Slots;

/// Beats until cancelled. A beat that fails is not made up for: the next one comes soon.
pub async fn beat(
    host: HostName,
    client: Client,
    slots: Slots,
    refused: Refused,
    token: CancellationToken,
) {
    let records: Records<Presence> = client.records(Bucket::Presence);
    let mut ticks = tokio::time::interval(BEAT_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = token.cancelled() => return,
        }
        let counts = slots.counts();
        let presence = Presence {
            host: host.clone(),
            at: Timestamp::now(),
            load: load(),
            memory_free_bytes: Memory::now().available_bytes,
            sessions: number(counts.held),
            slots: Some(SlotReport {
                resting: number(counts.resting),
                waiting: number(counts.waiting),
            }),
            memory_pressure: pressure(),
            commands_refused: refused.count(),
        };
        if let Err(error) = records
            .put_for(host.as_str(), &presence, PRESENCE_TTL)
            .await
        {
            tracing::debug!(%error, "a heartbeat did not arrive");
        }
    }
}

/// The machine's memory, in bytes; zeros where it cannot be read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    pub total_bytes: u64,
    pub available_bytes: u64,
}

impl Memory {
    #[must_use]
    pub fn now() -> Self {
        let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let bytes = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim_start_matches(':')
                .split_whitespace()
                .next()?
                .parse::<u64>()
                .ok()
                .map(|kib| kib * 1024)
        };
        Self {
            total_bytes: bytes("MemTotal").unwrap_or_default(),
            available_bytes: bytes("MemAvailable").unwrap_or_default(),
        }
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// How much of the last ten seconds some process waited for memory, in percent.
fn pressure() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/pressure/memory").unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix("some avg10="))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
}

fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace()
        .next()
        .and_then(|first| first.parse().ok())
        .unwrap_or_default()
}
