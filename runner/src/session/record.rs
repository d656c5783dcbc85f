//! Recording: events become rows, and rows and state reach the disk together.

use std::time::Duration;

use nats::command::Order;
use nats::ids::EventId;
use nats::{Envelope, Timestamp, Wire};

use super::log::Row;
use super::oversize;
use super::task::Task;

const PAUSE_AFTER_FAILED_WRITE: Duration = Duration::from_secs(1);

impl Task {
    /// Puts rows and state on disk. A disk that is full is waited for: the agent waits with us, nothing is dropped.
    pub(super) async fn record(&mut self, envelopes: &[Envelope], order: Option<&Order>) -> bool {
        let rows = match self.rows(envelopes) {
            Ok(rows) => rows,
            Err(error) => unreachable!("our own events are JSON: {error}"),
        };
        loop {
            match tokio::task::block_in_place(|| self.log.append(&rows, &self.saved, order)) {
                Ok(()) => break,
                Err(error) => {
                    tracing::error!(error = %crate::chain(&error), "could not write the session's log; the session waits");
                    tokio::select! {
                        () = tokio::time::sleep(PAUSE_AFTER_FAILED_WRITE) => {}
                        () = self.parts.token.cancelled() => return false,
                    }
                }
            }
        }
        if !rows.is_empty() {
            self.newest.send_replace(self.saved.machine.seq());
        }
        if self.noted_position != self.saved.position {
            self.noted_position = self.saved.position;
            if let Some(shim) = &self.shim {
                shim.durable(self.saved.position);
            }
        }
        true
    }

    fn rows(&self, envelopes: &[Envelope]) -> Result<Vec<Row>, serde_json::Error> {
        let bucket = nats::stream::object_bucket(&self.identity.host);
        let mut rows = Vec::with_capacity(envelopes.len());
        for envelope in envelopes {
            let fitted = oversize::fit(envelope, &bucket)?;
            let object = fitted.object.map(|(name, bytes)| {
                self.keep_object(envelope.seq, &bytes);
                name
            });
            rows.push(Row {
                seq: envelope.seq,
                event_type: envelope.body.tag().to_owned(),
                body: fitted.body,
                object,
            });
        }
        Ok(rows)
    }

    pub(super) fn envelope(&self, seq: u64, event: nats::Event) -> Envelope {
        Envelope {
            v: nats::envelope::VERSION,
            id: EventId::new(),
            session: self.identity.session,
            host: self.identity.host.clone(),
            epoch: self.identity.epoch,
            seq,
            at: Timestamp::now(),
            object: None,
            body: Wire::Known(event),
        }
    }

    /// Keeps what a row is too small for, until the relay has stored it.
    fn keep_object(&self, seq: u64, bytes: &[u8]) {
        let folder = self.paths.objects();
        let path = folder.join(format!("{seq}.json"));
        let kept = tokio::task::block_in_place(|| {
            std::fs::create_dir_all(&folder)?;
            std::fs::File::create(&path).and_then(|mut file| {
                std::io::Write::write_all(&mut file, bytes)?;
                file.sync_all()
            })
        });
        if let Err(error) = kept {
            tracing::error!(%error, path = %path.display(), "could not keep the whole of a big event");
        }
    }

    /// What the server holds need not be kept here as well.
    pub(super) fn discard_objects(&self, acknowledged: u64) {
        let Ok(entries) = std::fs::read_dir(self.paths.objects()) else {
            return;
        };
        for entry in entries.flatten() {
            let seq = entry
                .path()
                .file_stem()
                .and_then(|stem| stem.to_str()?.parse::<u64>().ok());
            if seq.is_some_and(|seq| seq <= acknowledged)
                && let Err(error) = std::fs::remove_file(entry.path())
            {
                tracing::warn!(%error, "could not remove an object that the server holds");
            }
        }
    }
}
