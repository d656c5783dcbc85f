//! Comparing rows with rows, as pure functions: whatever is cut, doubled, moved or changed is found at its first place.

use nats::Header;
use nats::ids::{HostName, SessionId};
use nats::report::{LogReport, Report, RowPrint, ShimReport};

use crate::api::{PartName, VerifyDifference};

/// What the stream holds of one session, row after row: each seq once, of the session's owner.
pub(super) struct StreamCheck {
    session: SessionId,
    host: HostName,
    epoch: u64,
    next: u64,
    pub difference: Option<VerifyDifference>,
}

impl StreamCheck {
    pub(super) const fn new(session: SessionId, host: HostName, epoch: u64) -> Self {
        Self {
            session,
            host,
            epoch,
            next: 1,
            difference: None,
        }
    }

    /// Looks at the next message under the session's name; its print, when it is one of the session's log.
    pub(super) fn take(&mut self, subject: &str, body: &[u8]) -> Option<RowPrint> {
        let Some(header) = Header::read(subject, body) else {
            self.note(
                None,
                "an event that says where it stands",
                format!("something else on `{subject}`"),
            );
            return None;
        };
        let seq = header.seq;
        if header.session != self.session || header.host != self.host || header.epoch != self.epoch
        {
            self.note(
                Some(seq),
                &format!("events of {}, epoch {}", self.host, self.epoch),
                format!("one of {}, epoch {}", header.host, header.epoch),
            );
            return None;
        }
        if seq != self.next {
            self.note(
                Some(self.next.min(seq)),
                &format!("event {} next", self.next),
                format!("event {seq}"),
            );
        }
        self.next = seq + 1;
        Some(RowPrint::of(seq, body))
    }

    /// Nothing follows, and `last` should have been there.
    pub(super) fn finish(&mut self, last: u64) {
        if self.last() < last {
            let found = format!("none after {}", self.last());
            self.note(Some(self.next), &format!("events up to {last}"), found);
        }
    }

    /// The last seq that was seen.
    pub(super) const fn last(&self) -> u64 {
        self.next - 1
    }

    fn note(&mut self, seq: Option<u64>, expected: &str, found: String) {
        self.difference.get_or_insert(VerifyDifference {
            part: PartName::Stream,
            seq,
            expected: expected.to_owned(),
            found,
        });
    }
}

/// The first place where `found` is not `expected`; both are in the order in which they are kept.
pub(super) fn first_difference(
    part: PartName,
    expected: &[RowPrint],
    found: &[RowPrint],
) -> Option<VerifyDifference> {
    let at = (0..expected.len().max(found.len())).find(|at| expected.get(*at) != found.get(*at))?;
    let (wanted, there) = (expected.get(at), found.get(at));
    let seqs = wanted.into_iter().chain(there).map(|row| row.seq);
    let same_place = wanted.map(|row| row.seq) == there.map(|row| row.seq);
    let words = |row: Option<&RowPrint>| match row {
        None => "nothing".to_owned(),
        Some(row) if same_place => words(row, wanted, there),
        Some(row) => format!("event {}", row.seq),
    };
    Some(VerifyDifference {
        part,
        seq: seqs.min(),
        expected: words(wanted),
        found: words(there),
    })
}

/// A row by what tells it from the other one of the same number.
fn words(row: &RowPrint, one: Option<&RowPrint>, other: Option<&RowPrint>) -> String {
    let same_id = one.map(|row| row.id) == other.map(|row| row.id);
    match row.id {
        Some(_) if same_id => format!("sha256 {}", row.sha256),
        Some(id) => id.to_string(),
        None => format!("a body without an id, sha256 {}", row.sha256),
    }
}

/// What a host's log says of itself, against the last event that EVENTS holds.
pub(super) fn log_difference(
    log: Option<&LogReport>,
    epoch: u64,
    last: u64,
) -> Option<VerifyDifference> {
    let differs = |seq: Option<u64>, expected: String, found: String| {
        Some(VerifyDifference {
            part: PartName::HostLog,
            seq,
            expected,
            found,
        })
    };
    let Some(log) = log else {
        return differs(None, "the session's log".into(), "no such session".into());
    };
    if log.epoch != epoch {
        return differs(
            None,
            format!("epoch {epoch}"),
            format!("epoch {}", log.epoch),
        );
    }
    if log.newest < last {
        return differs(
            Some(log.newest + 1),
            format!("events up to {last}"),
            format!("none after {}", log.newest),
        );
    }
    if log.given_out != log.newest {
        return differs(
            Some(log.given_out.min(log.newest) + 1),
            format!("event {} as the last one", log.given_out),
            format!("event {}", log.newest),
        );
    }
    let rows = (log.newest + 1).saturating_sub(log.oldest);
    if log.rows_kept != rows {
        return differs(
            None,
            format!("{rows} rows from {} to {}", log.oldest, log.newest),
            format!("{} rows", log.rows_kept),
        );
    }
    None
}

/// A shim may forget only what is in the log, and nobody has read what it never said.
pub(super) fn shim_difference(shim: &ShimReport) -> Option<VerifyDifference> {
    let differs = |expected: String, found: String| {
        Some(VerifyDifference {
            part: PartName::Shim,
            seq: None,
            expected,
            found,
        })
    };
    if shim.oldest > shim.read_after {
        return differs(
            format!("output kept from byte {} on", shim.read_after),
            format!("output from byte {} on", shim.oldest),
        );
    }
    if shim.read_before > shim.newest {
        return differs(
            format!("at least {} bytes of output", shim.read_before),
            format!("{} bytes", shim.newest),
        );
    }
    None
}

/// The rows of a report, or what it says instead.
pub(super) fn rows_of(report: Report) -> Vec<RowPrint> {
    report.log.map(|log| log.rows).unwrap_or_default()
}

#[cfg(test)]
mod tests;
