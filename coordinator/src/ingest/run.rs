//! The loop: wait, take what is there, write it, tell.

use std::sync::Arc;

use nats::client::Client;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::progress::{Gauges, Progress};
use super::reach::Reached;
use super::sources::Sources;
use crate::api::Status;
use crate::live::{EventBatch, Frame, Hub, Touched, Written};
use crate::projection::{Applied, Error, Writer};

/// Inputs in one transaction: large enough to replay fast, small enough to be told soon.
const BATCH_MAX: usize = 1000;

/// The parts the loop works with.
pub struct Ingest {
    pub client: Client,
    pub writer: Writer,
    pub sources: Sources,
    pub hub: Hub,
    pub touched: Touched,
    pub written: Written,
    pub gauges: Gauges,
    pub progress: watch::Sender<Progress>,
    pub commits: watch::Sender<u64>,
    pub reached: watch::Sender<Reached>,
}

/// Runs until it is told to stop. An error here is of the disk: the process cannot go on.
pub async fn run(mut ingest: Ingest, shutdown: CancellationToken) -> Result<(), Error> {
    let mut connection = ingest.client.connection();
    let mut writer = ingest.writer;
    loop {
        let batch = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(()),
            batch = ingest.sources.next(BATCH_MAX) => batch,
            Ok(()) = connection.changed() => Vec::new(),
        };
        if ingest.sources.foreign() {
            tracing::warn!(
                "NATS is not the one that the projection was made from: building it anew"
            );
            writer.clear()?;
            ingest.sources = ingest.sources.restarted();
            ingest.reached.send_replace(ingest.sources.reached());
            continue;
        }
        if !batch.is_empty() {
            let (back, applied) = tokio::task::spawn_blocking(move || {
                let applied = writer.apply(batch);
                (writer, applied)
            })
            .await
            .map_err(Error::Thread)?;
            writer = back;
            tell(
                applied?,
                &ingest.hub,
                &ingest.touched,
                &ingest.written,
                &ingest.gauges,
            );
            ingest.commits.send_modify(|count| *count += 1);
        }
        ingest.reached.send_replace(ingest.sources.reached());
        let progress = Progress {
            caught_up: ingest.sources.caught_up(),
            behind: ingest.sources.behind(),
            connected: connection.borrow_and_update().up,
        };
        report(progress, &ingest.progress, &ingest.hub);
    }
}

/// After the commit: whoever is told can also read it.
fn tell(applied: Applied, hub: &Hub, touched: &Touched, written: &Written, gauges: &Gauges) {
    for why in applied.dropped {
        gauges.dropped(why);
    }
    for (session, events) in applied.events {
        gauges.ingested(events.len() as u64);
        for event in events.iter().filter_map(|new| new.event.as_ref()) {
            written.event(session, event);
        }
        hub.to_session(session, || {
            let rows = events.into_iter().map(|new| (new.seq, new.row)).collect();
            Frame::Events(Arc::new(EventBatch::new(session, rows)))
        });
    }
    if !applied.sessions.is_empty() || !applied.gates.is_empty() {
        touched.add(&applied.sessions, &applied.gates);
    }
}

/// Watchers hear of what a page shows: away or not, and far behind or not.
fn report(progress: Progress, sender: &watch::Sender<Progress>, hub: &Hub) {
    let mut shown = None;
    sender.send_if_modified(|latest| {
        let changed = *latest != progress;
        if status(*latest) != status(progress) {
            shown = Some(status(progress));
        }
        *latest = progress;
        changed
    });
    if let Some(status) = shown {
        hub.to_all(&Frame::Status(status));
    }
}

/// A few events on their way are the normal state of things and no news.
const BEHIND_SHOWN: u64 = 500;

/// What a page shows of it.
#[must_use]
pub fn status(progress: Progress) -> Status {
    Status {
        connected: progress.connected,
        behind: if progress.behind < BEHIND_SHOWN {
            0
        } else {
            progress.behind
        },
    }
}
