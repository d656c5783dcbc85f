//! The file in which an audit leaves a fleet: one line of JSON for each record, as it is stored, in stream order.
//!
//! All that a link is made of is in the line, so that the file proves itself without a server.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::link::Stored;

/// A record is at most 1 MB, and a byte of it at most six in JSON. A longer line is none of ours and is not gathered.
const LINE_BYTES_MAX: usize = 8 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    seq: u64,
    subject: String,
    time: String,
    /// The record as text, byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    /// The same where it is no text, which nothing of ours writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload_base64: Option<String>,
}

/// One record as a line, with its end.
#[must_use]
pub fn line(stored: &Stored) -> String {
    let text = std::str::from_utf8(&stored.payload).ok();
    let line = Line {
        seq: stored.sequence,
        subject: stored.subject.clone(),
        time: moment(stored.time_nanoseconds),
        payload: text.map(str::to_owned),
        payload_base64: text.is_none().then(|| STANDARD.encode(&stored.payload)),
    };
    // Numbers and text have no way to fail.
    let mut text = serde_json::to_string(&line).unwrap_or_default();
    text.push('\n');
    text
}

fn read(line: &[u8]) -> Option<Stored> {
    let line: Line = serde_json::from_slice(line).ok()?;
    let payload = match (line.payload, line.payload_base64) {
        (Some(text), None) => text.into_bytes(),
        (None, Some(text)) => STANDARD.decode(text).ok()?,
        (None, None) | (Some(_), Some(_)) => return None,
    };
    let time_nanoseconds = nanoseconds(&line.time)?;
    // One moment is written in one way.
    (moment(time_nanoseconds) == line.time).then(|| Stored {
        sequence: line.seq,
        subject: line.subject,
        time_nanoseconds,
        payload: Bytes::from(payload),
    })
}

fn moment(nanoseconds: i64) -> String {
    // 64 bits of nanoseconds are within what a moment can be.
    jiff::Timestamp::from_nanosecond(i128::from(nanoseconds))
        .map(|moment| format!("{moment:.9}"))
        .unwrap_or_default()
}

/// Nanoseconds since 1970 of a moment as NATS writes it.
pub(crate) fn nanoseconds(moment: &str) -> Option<i64> {
    let moment: jiff::Timestamp = moment.parse().ok()?;
    i64::try_from(moment.as_nanosecond()).ok()
}

/// Reads an export as it comes, in pieces of any size.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The line that has begun.
    begun: Vec<u8>,
    lines: u64,
}

/// The number of the line that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotALine(pub u64);

impl Reader {
    /// Takes a piece and gives each whole record to `each`, until one is refused.
    pub(super) fn push<E: From<NotALine>>(
        &mut self,
        mut piece: &[u8],
        mut each: impl FnMut(Stored) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            let (rest, next) = (&piece[..end], &piece[end + 1..]);
            self.gather(rest)?;
            each(self.end_line()?)?;
            piece = next;
        }
        self.gather(piece).map_err(E::from)
    }

    /// Says that nothing follows. A line without an end is one that was cut.
    pub(super) fn finish(&self) -> Result<(), NotALine> {
        if self.begun.is_empty() {
            return Ok(());
        }
        Err(NotALine(self.lines + 1))
    }

    fn gather(&mut self, piece: &[u8]) -> Result<(), NotALine> {
        if self.begun.len() + piece.len() > LINE_BYTES_MAX {
            return Err(NotALine(self.lines + 1));
        }
        self.begun.extend_from_slice(piece);
        Ok(())
    }

    fn end_line(&mut self) -> Result<Stored, NotALine> {
        self.lines += 1;
        let stored = read(&self.begun).ok_or(NotALine(self.lines));
        self.begun.clear();
        stored
    }
}
