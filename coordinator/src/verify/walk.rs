//! One way through the events of a session in EVENTS, range after range, with everything else compared alongside.

use bytes::Bytes;
use nats::Envelope;
use nats::client;
use nats::command::SessionReport;
use nats::record::SessionRecord;
use nats::report::{GROUP_ROWS, Grouping, LogReport, Report, RowPrint, group_of};
use tokio::time::{Duration, timeout};

use super::compare::{StreamCheck, first_difference, rows_of};
use super::{Error, Verifier, judged, part};
use crate::api::{HostState, PartName, PartState, VerifiedPart, VerifyDifference};
use crate::portable::references;
use crate::projection::{one_line, query};

/// A server that restarts is back within this; the events go on where they were.
const NEXT_BOUND: Duration = Duration::from_secs(30);

pub(super) struct Walk<'a> {
    verifier: &'a Verifier,
    record: &'a SessionRecord,
    /// Nothing after this one is looked at.
    last: u64,
    log: Option<&'a LogReport>,
    stream: StreamCheck,
    range: Range,
    pub host: Option<VerifyDifference>,
    projection: Option<VerifyDifference>,
    objects: Objects,
}

/// The rows of one range: as EVENTS holds them, and as they are when they are written on one line.
#[derive(Default)]
struct Range {
    stored: Vec<RowPrint>,
    lined: Vec<RowPrint>,
}

#[derive(Default)]
struct Objects {
    whole: u64,
    difference: Option<VerifyDifference>,
    unread: Option<String>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        verifier: &'a Verifier,
        record: &'a SessionRecord,
        last: u64,
        report: &'a Result<Report, String>,
    ) -> Self {
        Self {
            verifier,
            record,
            last,
            log: report.as_ref().ok().and_then(|report| report.log.as_ref()),
            stream: StreamCheck::new(record.session, record.host.clone(), record.epoch),
            range: Range::default(),
            host: None,
            projection: None,
            objects: Objects::default(),
        }
    }

    pub(super) async fn run(&mut self) -> Result<(), Error> {
        let client = &self.verifier.client;
        let (session, first) = (self.record.session, self.record.first_seq);
        if let Some((end, mut events)) = client.session_events(session, first).await? {
            loop {
                let next = timeout(NEXT_BOUND, events.recv()).await;
                let message = next.ok().flatten().ok_or(Error::Stopped)?;
                self.take(&message.subject, &message.payload).await?;
                // Behind an imported session may lie what a second import left, and nobody believes.
                let is_whole = self.record.imported.is_some() && self.stream.last() >= self.last;
                if message.sequence >= end || is_whole {
                    break;
                }
            }
        }
        self.stream.finish(self.last);
        self.close_range().await
    }

    pub(super) const fn events(&self) -> u64 {
        self.stream.last()
    }

    pub(super) fn stream_part(&self) -> VerifiedPart {
        let words = format!("{} events of {}", self.events(), self.record.host);
        judged(PartName::Stream, &words, self.stream.difference.clone())
    }

    pub(super) fn objects_part(&self) -> VerifiedPart {
        let objects = &self.objects;
        let words = match objects.whole {
            0 => "none".to_owned(),
            1 => "1 beside the events".to_owned(),
            more => format!("{more} beside the events"),
        };
        match (&objects.difference, &objects.unread) {
            (None, Some(unread)) => part(PartName::Objects, PartState::Unchecked, unread, None),
            (difference, _) => judged(PartName::Objects, &words, difference.clone()),
        }
    }

    pub(super) fn projection_part(&self, caught_up: bool) -> VerifiedPart {
        if !caught_up {
            let words = "this coordinator is still reading what is stored";
            return part(PartName::Projection, PartState::Unchecked, words, None);
        }
        let words = format!("{} rows of this coordinator", self.events());
        judged(PartName::Projection, &words, self.projection.clone())
    }

    async fn take(&mut self, subject: &str, body: &Bytes) -> Result<(), Error> {
        let Some(print) = self.stream.take(subject, body) else {
            return Ok(());
        };
        if print.seq > self.last {
            return Ok(());
        }
        let begun = self.range.stored.last().map(|last| group_of(last.seq));
        if begun.is_some_and(|begun| begun != group_of(print.seq)) {
            self.close_range().await?;
        }
        self.look_at_objects(print.seq, body).await;
        let lined = one_line(body)
            .filter(|line| line.as_bytes() != &body[..])
            .map_or_else(
                || print.clone(),
                |line| RowPrint::of(print.seq, line.as_bytes()),
            );
        self.range.lined.push(lined);
        self.range.stored.push(print);
        Ok(())
    }

    /// Compares a range that is complete.
    async fn close_range(&mut self) -> Result<(), Error> {
        let range = std::mem::take(&mut self.range);
        let Some(group) = range.stored.first().map(|row| group_of(row.seq)) else {
            return Ok(());
        };
        let first = group * GROUP_ROWS + 1;
        let last = (first + GROUP_ROWS - 1).min(self.last);
        if self.projection.is_none() {
            let session = self.record.session;
            let rows = self
                .verifier
                .reader
                .read(move |connection| query::event_prints(connection, session, first, last))
                .await?;
            self.projection = first_difference(PartName::Projection, &range.lined, &rows);
        }
        if self.host.is_none() {
            self.host = self.compare_host(&range.stored, first, last).await;
        }
        Ok(())
    }

    async fn compare_host(
        &self,
        stored: &[RowPrint],
        first: u64,
        last: u64,
    ) -> Option<VerifyDifference> {
        let log = self.log?;
        let kept: Vec<RowPrint> = stored
            .iter()
            .filter(|row| row.seq >= log.oldest)
            .cloned()
            .collect();
        let mut grouping = Grouping::default();
        kept.iter().for_each(|row| grouping.push(row));
        let expected = grouping.finish();
        let found = log
            .groups
            .iter()
            .filter(|it| group_of(it.first) == group_of(first));
        if expected.iter().eq(found) {
            return None;
        }
        let asked = SessionReport {
            after: first - 1,
            up_to: last,
            rows: true,
        };
        let told = self
            .verifier
            .report(self.record, HostState::Online, asked)
            .await;
        match told {
            // It let go of more since it was asked first.
            Ok(Report { log: Some(now), .. }) if now.oldest > log.oldest => None,
            Ok(report) => first_difference(PartName::HostLog, &kept, &rows_of(report)),
            Err(_) => Some(VerifyDifference {
                part: PartName::HostLog,
                seq: Some(first),
                expected: format!("events {first} to {last} as EVENTS holds them"),
                found: "others, and the host does not tell them any more".to_owned(),
            }),
        }
    }

    /// Reads everything that an event refers to.
    async fn look_at_objects(&mut self, seq: u64, body: &[u8]) {
        let Ok(envelope) = serde_json::from_slice::<Envelope>(body) else {
            return;
        };
        for reference in references(&self.record.host, &envelope) {
            if self.objects.difference.is_some() {
                return;
            }
            let found = match self.verifier.client.find_object(&reference).await {
                Ok(Some(_)) => {
                    self.objects.whole += 1;
                    continue;
                }
                Ok(None) => "nothing".to_owned(),
                Err(client::Error::Damaged { .. }) => "other bytes".to_owned(),
                Err(error) => {
                    self.objects.unread = Some(format!("could not be read: {error}"));
                    return;
                }
            };
            self.objects.difference = Some(VerifyDifference {
                part: PartName::Objects,
                seq: Some(seq),
                expected: format!(
                    "`{}`, {} bytes, sha256 {}",
                    reference.name, reference.bytes, reference.sha256
                ),
                found,
            });
        }
    }
}
