//! The heartbeat: a task of its own, so that nothing the runner does can make its host look silent.

use nats::client::Records;
use nats::ids::HostName;
use nats::record::Presence;
use nats::stream::{BEAT_EVERY, Bucket, PRESENCE_TTL};
use nats::{Client, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::inbox::Refused;
use crate::sessions::Sessions;

/// Beats until cancelled. A beat that fails is not made up for: the next one comes soon.
pub async fn beat(
    host: HostName,
    client: Client,
    sessions: Sessions,
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
        let presence = Presence {
            host: host.clone(),
            at: Timestamp::now(),
            load: load(),
            memory_free_bytes: Memory::now().available_bytes,
            sessions: sessions.with_agent(),
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

fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace()
        .next()
        .and_then(|first| first.parse().ok())
        .unwrap_or_default()
}
