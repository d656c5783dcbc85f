//! One session's numbers, end to end: the log on its host, EVENTS, the objects beside it, and the rows here.
//!
//! EVENTS is the memory, so it is looked at for itself, and everything else is compared with it. Rows of a host do not
//! travel: ranges of them are hashed on both sides, and only a range that differs is told row by row. Changes nothing.

mod compare;
mod host;
mod walk;

use std::sync::Arc;

use nats::client::{self, Client};
use nats::command::SessionReport;
use nats::record::SessionRecord;
use nats::report::Report;
use nats::seal::CommandKey;

use self::walk::Walk;
use crate::api::{
    HostState, PartName, PartState, SessionVerification, Verdict, VerifiedPart, VerifyDifference,
};
use crate::ingest::Reach;
use crate::projection::{self, Reader};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not read what NATS holds")]
    Nats(#[from] client::Error),
    #[error("the events of the session stopped coming")]
    Stopped,
    #[error(transparent)]
    Projection(#[from] projection::Error),
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Verifier {
    client: Client,
    key: Arc<CommandKey>,
    reader: Reader,
    reach: Reach,
}

impl Verifier {
    #[must_use]
    pub fn new(client: &Client, key: &Arc<CommandKey>, reader: &Reader, reach: &Reach) -> Self {
        Self {
            client: client.clone(),
            key: key.clone(),
            reader: reader.clone(),
            reach: reach.clone(),
        }
    }

    /// Looks through the whole session. What goes on meanwhile is left out: the end is the last event of now.
    pub async fn verify(
        &self,
        record: &SessionRecord,
        state: HostState,
    ) -> Result<SessionVerification, Error> {
        let last = match &record.imported {
            Some(imported) => imported.last_seq + u64::from(imported.ended_here),
            None => self
                .client
                .last_event(&record.host, record.session)
                .await?
                .map_or(0, |last| last.seq),
        };
        let asked = SessionReport {
            after: 0,
            up_to: last,
            rows: false,
        };
        let report = if record.imported.is_some() {
            Ok(Report::default())
        } else {
            self.report(record, state, asked).await
        };
        let caught_up = self.reach.catch_up().await?;
        let mut walk = Walk::new(self, record, last, &report);
        walk.run().await?;
        let (shim, host) = if record.imported.is_some() {
            let words = "it was imported, and no host holds it";
            (
                part(PartName::Shim, PartState::Absent, words, None),
                part(PartName::HostLog, PartState::Absent, words, None),
            )
        } else {
            host_parts(record, last, &report, walk.host.take())
        };
        let parts = vec![
            shim,
            host,
            walk.stream_part(),
            walk.objects_part(),
            walk.projection_part(caught_up),
        ];
        Ok(conclude(record, walk.events(), parts))
    }
}

/// The shim's part and the log's, as the host told them.
fn host_parts(
    record: &SessionRecord,
    last: u64,
    report: &Result<Report, String>,
    in_rows: Option<VerifyDifference>,
) -> (VerifiedPart, VerifiedPart) {
    let host = &record.host;
    let unchecked = |words: &str| {
        (
            part(PartName::Shim, PartState::Unchecked, words, None),
            part(PartName::HostLog, PartState::Unchecked, words, None),
        )
    };
    let report = match report {
        Ok(report) => report,
        Err(words) => return unchecked(words),
    };
    if let Some(trouble) = &report.trouble {
        return unchecked(&format!("{host} cannot read it: {trouble}"));
    }
    let log = match &report.log {
        None if last == 0 => part(
            PartName::HostLog,
            PartState::Absent,
            "it has not begun",
            None,
        ),
        log => {
            let words = log.as_ref().map_or_else(
                || format!("{host} has no such session"),
                |log| {
                    let waiting = log.newest.saturating_sub(last);
                    let waiting = if waiting > 0 {
                        format!(", {waiting} on their way")
                    } else {
                        String::new()
                    };
                    if log.oldest > log.newest {
                        format!("{host} keeps none of {} any more", log.newest)
                    } else {
                        format!("{host} keeps {} to {}{waiting}", log.oldest, log.newest)
                    }
                },
            );
            let first = compare::log_difference(log.as_ref(), record.epoch, last);
            judged(PartName::HostLog, &words, earlier(first, in_rows))
        }
    };
    let shim = match &report.shim {
        None => part(PartName::Shim, PartState::Absent, "no agent runs", None),
        Some(shim) => judged(
            PartName::Shim,
            &format!(
                "read to byte {}, kept from {} to {}",
                shim.read_after, shim.oldest, shim.newest
            ),
            compare::shim_difference(shim),
        ),
    };
    (shim, log)
}

/// The one that names the lower event, or the one that names any.
fn earlier(
    one: Option<VerifyDifference>,
    other: Option<VerifyDifference>,
) -> Option<VerifyDifference> {
    let place = |it: &VerifyDifference| it.seq.unwrap_or(u64::MAX);
    [one, other].into_iter().flatten().min_by_key(place)
}

fn part(
    name: PartName,
    state: PartState,
    words: &str,
    difference: Option<VerifyDifference>,
) -> VerifiedPart {
    VerifiedPart {
        part: name,
        state,
        words: words.to_owned(),
        difference,
    }
}

fn judged(name: PartName, words: &str, difference: Option<VerifyDifference>) -> VerifiedPart {
    let state = if difference.is_some() {
        PartState::Different
    } else {
        PartState::Same
    };
    part(name, state, words, difference)
}

fn conclude(record: &SessionRecord, events: u64, parts: Vec<VerifiedPart>) -> SessionVerification {
    let difference = parts
        .iter()
        .filter_map(|part| part.difference.clone())
        .min_by_key(|it| (it.seq.unwrap_or(u64::MAX), it.part));
    let unchecked = parts.iter().any(|part| part.state == PartState::Unchecked);
    SessionVerification {
        session: record.session,
        host: record.host.clone(),
        epoch: record.epoch,
        verdict: match &difference {
            Some(_) => Verdict::Different,
            None if unchecked => Verdict::Incomplete,
            None => Verdict::Same,
        },
        events,
        parts,
        difference,
    }
}
