//! Server-sent events out of bytes, cut anywhere.

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Frame {
    pub event: Option<String>,
    pub id: Option<String>,
    pub data: String,
}

/// Gathers bytes into frames.
#[derive(Default)]
pub(super) struct Frames {
    rest: Vec<u8>,
    frame: Frame,
    /// Whether the frame has any field yet: comments alone make none.
    begun: bool,
}

impl Frames {
    /// Takes more bytes, gives the frames they complete.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<Frame> {
        self.rest.extend_from_slice(bytes);
        let mut frames = Vec::new();
        while let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() {
                if std::mem::take(&mut self.begun) {
                    frames.push(std::mem::take(&mut self.frame));
                }
            } else {
                self.field(line);
            }
        }
        frames
    }

    fn field(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => self.frame.event = Some(value.to_owned()),
            "id" => self.frame.id = Some(value.to_owned()),
            "data" => {
                if !self.frame.data.is_empty() {
                    self.frame.data.push('\n');
                }
                self.frame.data.push_str(value);
            }
            // A comment keeps the connection open and says nothing.
            _ => return,
        }
        self.begun = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_whole_wherever_the_bytes_are_cut() {
        let text = ": hello\n\nid: 1\ndata: {\"a\":\ndata: \"ä\"}\n\nevent: live\r\ndata:x\r\n\r\n";
        let whole = Frames::default().take(text.as_bytes());
        assert_eq!(
            whole,
            [
                Frame {
                    event: None,
                    id: Some("1".into()),
                    data: "{\"a\":\n\"ä\"}".into()
                },
                Frame {
                    event: Some("live".into()),
                    id: None,
                    data: "x".into()
                },
            ]
        );
        let mut frames = Frames::default();
        let bytewise: Vec<Frame> = text.bytes().flat_map(|byte| frames.take(&[byte])).collect();
        assert_eq!(bytewise, whole);
    }
}
