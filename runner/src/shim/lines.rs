//! Bytes into lines, each with the position after its newline: what a runner records as read so far.
//! Pure: no IO, no clock. Does not know what a line means, nor that it should be text.

use bytes::{Bytes, BytesMut};

/// One message of an agent with a few images in it fits; a line beyond it is an agent gone wrong.
const LINE_BYTES_MAX_DEFAULT: usize = 16 * 1024 * 1024;

/// A line without its newline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub bytes: Bytes,
    /// The position after its newline: once this line is durable, so is everything before `end`.
    pub end: u64,
}

/// A line beyond the maximum; its bytes were dropped as they came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a line of {bytes} bytes is longer than the {bytes_max} allowed")]
pub struct LineTooLong {
    pub bytes: u64,
    pub bytes_max: usize,
    pub end: u64,
}

/// Splits a stream that arrives in pieces.
#[derive(Debug)]
pub struct LineSplitter {
    /// The unfinished line, or nothing of it while `too_long`.
    rest: BytesMut,
    rest_bytes: u64,
    position: u64,
    line_bytes_max: usize,
}

impl LineSplitter {
    /// Starts at `position`, which is the start of a line.
    pub fn new(position: u64) -> Self {
        Self::with_line_bytes_max(position, LINE_BYTES_MAX_DEFAULT)
    }

    pub fn with_line_bytes_max(position: u64, line_bytes_max: usize) -> Self {
        Self {
            rest: BytesMut::new(),
            rest_bytes: 0,
            position,
            line_bytes_max,
        }
    }

    /// The position of the next byte to push.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Everything before this position has been given out or dropped, and need not be kept for the splitter's sake.
    /// Inside an over-long line it moves on with the bytes: otherwise a line larger than the shim's backlog would
    /// stop the agent for ever. Whoever starts again from there sees the tail of that line as a line.
    pub fn settled(&self) -> u64 {
        if self.too_long() {
            self.position
        } else {
            self.position - self.rest_bytes
        }
    }

    /// Takes the bytes at `position` and returns the lines that they complete. Bytes that were pushed before are
    /// skipped, so that a connection made again from an earlier position doubles nothing.
    pub fn push(&mut self, position: u64, bytes: &[u8]) -> Vec<Result<Line, LineTooLong>> {
        debug_assert!(
            position <= self.position,
            "a piece of the stream is missing"
        );
        let known = usize::try_from(self.position.saturating_sub(position)).unwrap_or(usize::MAX);
        let mut bytes = bytes.get(known..).unwrap_or_default();
        let mut lines = Vec::new();
        while let Some(newline) = bytes.iter().position(|&byte| byte == b'\n') {
            self.keep(&bytes[..newline]);
            self.position += 1;
            lines.push(self.finish());
            bytes = &bytes[newline + 1..];
        }
        self.keep(bytes);
        lines
    }

    /// The half line after the last newline: what an agent that ended had still begun to say. Empty when it is too
    /// long to be kept; `settled` tells the two apart.
    pub fn rest(&self) -> &[u8] {
        &self.rest
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.position += bytes.len() as u64;
        self.rest_bytes += bytes.len() as u64;
        if self.too_long() {
            self.rest = BytesMut::new();
        } else {
            self.rest.extend_from_slice(bytes);
        }
    }

    fn finish(&mut self) -> Result<Line, LineTooLong> {
        let (bytes, end, too_long) = (self.rest_bytes, self.position, self.too_long());
        self.rest_bytes = 0;
        if too_long {
            return Err(LineTooLong {
                bytes,
                bytes_max: self.line_bytes_max,
                end,
            });
        }
        Ok(Line {
            bytes: self.rest.split().freeze(),
            end,
        })
    }

    fn too_long(&self) -> bool {
        self.rest_bytes > self.line_bytes_max as u64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(line: &Result<Line, LineTooLong>) -> (String, u64) {
        let line = line.as_ref().unwrap();
        (String::from_utf8(line.bytes.to_vec()).unwrap(), line.end)
    }

    #[test]
    fn a_line_comes_with_the_position_after_its_newline_and_a_half_line_waits() {
        let mut splitter = LineSplitter::new(100);
        assert_eq!(
            splitter
                .push(100, b"one\ntw")
                .iter()
                .map(text)
                .collect::<Vec<_>>(),
            [("one".into(), 104)]
        );
        assert_eq!(
            (splitter.rest(), splitter.position(), splitter.settled()),
            (&b"tw"[..], 106, 104)
        );
        let lines = splitter.push(106, b"o\n\nthree");
        assert_eq!(
            lines.iter().map(text).collect::<Vec<_>>(),
            [("two".into(), 108), (String::new(), 109)]
        );
        assert_eq!(splitter.rest(), b"three");
    }

    #[test]
    fn bytes_seen_before_are_skipped() {
        let mut splitter = LineSplitter::new(0);
        splitter.push(0, b"ab");
        assert_eq!(
            splitter
                .push(0, b"abc\nd")
                .iter()
                .map(text)
                .collect::<Vec<_>>(),
            [("abc".into(), 4)]
        );
        assert!(splitter.push(0, b"abc").is_empty());
        assert_eq!(splitter.rest(), b"d");
    }

    #[test]
    fn an_over_long_line_is_one_error_with_its_length_and_the_next_line_is_whole() {
        let mut splitter = LineSplitter::with_line_bytes_max(0, 4);
        assert!(splitter.push(0, b"abcd").is_empty());
        assert!(splitter.push(4, b"efg").is_empty());
        assert_eq!((splitter.rest(), splitter.settled()), (&b""[..], 7));
        let lines = splitter.push(7, b"h\nok\n");
        assert_eq!(
            lines[0],
            Err(LineTooLong {
                bytes: 8,
                bytes_max: 4,
                end: 9
            })
        );
        assert_eq!(text(&lines[1]), ("ok".into(), 12));
    }

    #[test]
    fn a_line_of_exactly_the_maximum_is_no_error() {
        let mut splitter = LineSplitter::with_line_bytes_max(0, 4);
        assert_eq!(
            splitter
                .push(0, b"abcd\n")
                .iter()
                .map(text)
                .collect::<Vec<_>>(),
            [("abcd".into(), 5)]
        );
    }

    proptest! {
        #[test]
        fn however_the_stream_is_cut_the_lines_are_the_same(
            stream in "[ab\n]{0,80}",
            cuts in proptest::collection::vec(0usize..80, 0..10),
        ) {
            let mut whole = LineSplitter::with_line_bytes_max(0, 7);
            let expected = whole.push(0, stream.as_bytes());
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
            cuts.push(stream.len());
            cuts.sort_unstable();
            let mut pieces = LineSplitter::with_line_bytes_max(0, 7);
            let (mut lines, mut from) = (Vec::new(), 0);
            for cut in cuts {
                lines.extend(pieces.push(from as u64, &stream.as_bytes()[from..cut]));
                from = cut;
            }
            prop_assert_eq!(lines, expected);
            prop_assert_eq!(pieces.rest(), whole.rest());
            prop_assert_eq!(pieces.settled(), whole.settled());
        }
    }
}
