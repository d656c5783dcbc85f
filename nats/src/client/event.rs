//! A session's events: written in order by their one owner, and fenced by the server.

use async_nats::HeaderMap;
use bytes::Bytes;
use tokio::sync::mpsc;

use super::batch::{BATCH_MAX, BatchMessage};
use super::connect::Client;
use super::error::Error;
use super::follow::{Followed, From};
use super::publish::{Expect, PublishError};
use crate::envelope::Envelope;
use crate::ids::{EventId, HostName, SessionId};
use crate::{stream, subject};

/// Up to this many waiting rows, single publishes are faster than one batch (0.44 ms each against 2 to 4 ms).
pub const EVENT_SINGLES_MAX: usize = 8;
/// The most rows that one batch takes.
pub const EVENT_BATCH_MAX: usize = BATCH_MAX;

/// One numbered row of a session's log, ready to leave.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    pub epoch: u64,
    pub seq: u64,
    /// The event's type, for the subject.
    pub event_type: String,
    /// The envelope as JSON, exactly as it is in the log.
    pub body: Bytes,
}

/// The newest event that the server holds of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct LastEvent {
    pub stream_sequence: u64,
    pub id: EventId,
    pub epoch: u64,
    pub seq: u64,
}

impl Client {
    /// Publishes rows of one session, in order, after `last` (its last stream sequence, 0 for none).
    ///
    /// Returns how many were stored and the stream sequence of the newest, with the refusal that ended it, if
    /// any: earlier rows of a refused call may be stored.
    pub async fn publish_events(
        &self,
        host: &HostName,
        session: SessionId,
        last: u64,
        rows: &[EventRow],
        batches: bool,
    ) -> (usize, u64, Result<(), PublishError>) {
        let filter = subject::events_of(host, session);
        let rows = &rows[..rows.len().min(BATCH_MAX)];
        if batches && rows.len() > EVENT_SINGLES_MAX {
            let messages = rows.iter().map(|row| message(host, session, row)).collect();
            return match self
                .publish_batch(
                    messages,
                    &Expect::LastOn {
                        filter,
                        sequence: last,
                    },
                )
                .await
            {
                Ok(sequence) => (rows.len(), sequence, Ok(())),
                Err(error) => (0, last, Err(error)),
            };
        }
        let mut newest = last;
        for (stored, row) in rows.iter().enumerate() {
            let BatchMessage {
                subject,
                headers,
                payload,
            } = message(host, session, row);
            let expect = Expect::LastOn {
                filter: filter.clone(),
                sequence: newest,
            };
            match self.publish(&subject, &headers, &payload, &expect).await {
                Ok(sequence) => newest = sequence,
                Err(error) => return (stored, newest, Err(error)),
            }
        }
        (rows.len(), newest, Ok(()))
    }

    /// All that EVENTS holds under a session's name from `first` on, whichever host said it, and the stream sequence
    /// where that ends now; none when there is nothing.
    pub async fn session_events(
        &self,
        session: SessionId,
        first: u64,
    ) -> Result<Option<(u64, mpsc::Receiver<Followed>)>, Error> {
        let filter = subject::events_of_any_host(session);
        let last = self.last_message(stream::EVENTS, &filter).await?;
        Ok(last
            .map(|(sequence, _)| sequence)
            .filter(|last| *last >= first)
            .map(|last| {
                let events = self.follow(stream::EVENTS, filter, From::Sequence(first));
                (last, events)
            }))
    }

    /// The newest event of a session on this host, if there is one. It tells a lost acknowledgement from a
    /// successor.
    pub async fn last_event(
        &self,
        host: &HostName,
        session: SessionId,
    ) -> Result<Option<LastEvent>, Error> {
        let filter = subject::events_of(host, session);
        let Some((stream_sequence, payload)) = self.last_message(stream::EVENTS, &filter).await?
        else {
            return Ok(None);
        };
        let envelope: Envelope =
            serde_json::from_slice(&payload).map_err(|source| Error::Malformed {
                what: filter,
                source,
            })?;
        Ok(Some(LastEvent {
            stream_sequence,
            id: envelope.id,
            epoch: envelope.epoch,
            seq: envelope.seq,
        }))
    }
}

fn message(host: &HostName, session: SessionId, row: &EventRow) -> BatchMessage {
    let mut headers = HeaderMap::new();
    headers.insert("Fleet-Epoch", row.epoch.to_string().as_str());
    headers.insert("Fleet-Seq", row.seq.to_string().as_str());
    BatchMessage {
        subject: subject::event(host, session, &row.event_type),
        headers,
        payload: row.body.clone(),
    }
}
