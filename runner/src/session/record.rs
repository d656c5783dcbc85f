//! Recording: events become rows, and rows and state reach the disk together.

use std::path::Path;
use std::time::Duration;

use nats::command::Order;
use nats::ids::EventId;
use nats::{Envelope, Timestamp, Wire};

use super::log::{self, Row};
use super::oversize;
use super::task::Task;
use crate::durable;

const PAUSE_AFTER_FAILED_WRITE: Duration = Duration::from_secs(1);

impl Task {
    /// Puts rows and state on disk. A disk that is full is waited for: the agent waits with us, nothing is dropped.
    pub(super) async fn record(&mut self, envelopes: &[Envelope], order: Option<&Order>) -> bool {
        let (rows, objects) = match self.rows(envelopes) {
            Ok(rows) => rows,
            Err(error) => unreachable!("our own events are JSON: {error}"),
        };
        while let Err(error) = tokio::task::block_in_place(|| self.keep(&rows, &objects, order)) {
            tracing::error!(error = %crate::chain(&error), "could not write the session's log; the session waits");
            tokio::select! {
                () = tokio::time::sleep(PAUSE_AFTER_FAILED_WRITE) => {}
                () = self.parts.token.cancelled() => return false,
            }
        }
        if !rows.is_empty() {
            self.unpruned_bytes += rows.iter().map(|row| row.body.len() as u64).sum::<u64>();
            self.unpruned_bytes += objects.iter().map(|it| it.bytes.len() as u64).sum::<u64>();
            self.newest.send_replace(self.saved.machine.seq());
        }
        if self.noted_position != self.saved.position {
            self.noted_position = self.saved.position;
            if let Some(shim) = &mut self.shim {
                shim.durable(self.saved.position);
            }
        }
        true
    }

    /// Objects first: a row whose object is missing could never leave whole.
    fn keep(
        &mut self,
        rows: &[Row],
        objects: &[Object],
        order: Option<&Order>,
    ) -> Result<(), NotRecorded> {
        for object in objects {
            object
                .keep(&self.paths.objects())
                .map_err(|source| NotRecorded::Object {
                    seq: object.seq,
                    source,
                })?;
        }
        Ok(self.log.append(rows, &self.saved, order)?)
    }

    fn rows(&self, envelopes: &[Envelope]) -> Result<(Vec<Row>, Vec<Object>), serde_json::Error> {
        let bucket = nats::stream::object_bucket(&self.identity.host);
        let (mut rows, mut objects) = (Vec::with_capacity(envelopes.len()), Vec::new());
        for envelope in envelopes {
            let fitted = oversize::fit(envelope, &bucket)?;
            let object = fitted.object.map(|(name, bytes)| {
                objects.push(Object {
                    seq: envelope.seq,
                    bytes,
                });
                name
            });
            rows.push(Row {
                seq: envelope.seq,
                event_type: envelope.body.tag().to_owned(),
                body: fitted.body,
                object,
            });
        }
        Ok((rows, objects))
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
}

/// What a row is too small for, kept until nobody can need it again.
struct Object {
    seq: u64,
    bytes: Vec<u8>,
}

impl Object {
    fn keep(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut file = std::fs::File::create(folder.join(format!("{}.json", self.seq)))?;
        std::io::Write::write_all(&mut file, &self.bytes)?;
        file.sync_all()?;
        // The names are on the disk as well, before a row speaks of it.
        durable::sync_folder(folder)?;
        folder.parent().map_or(Ok(()), durable::sync_folder)
    }
}

#[derive(Debug, thiserror::Error)]
enum NotRecorded {
    #[error("could not keep the whole of event {seq}")]
    Object {
        seq: u64,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Log(#[from] log::Error),
}
