//! How far a stream has come, for a reader that compares its own place with it.

use super::connect::Client;
use super::error::Error;

/// Where a stream ends now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamEnd {
    /// The sequence of the last message that it has ever taken; 0 for none.
    pub last: u64,
    /// Whether no message is left in it.
    pub is_empty: bool,
}

impl StreamEnd {
    /// Whether a reader that has read up to `sequence` will be given more.
    #[must_use]
    pub const fn goes_beyond(self, sequence: u64) -> bool {
        !self.is_empty && self.last > sequence
    }
}

impl Client {
    /// Where the stream ends.
    pub async fn stream_end(&self, stream: &str) -> Result<StreamEnd, Error> {
        let stream_now = self
            .jetstream
            .get_stream(stream)
            .await
            .map_err(|error| Error::read(stream, &error))?;
        let state = &stream_now.cached_info().state;
        Ok(StreamEnd {
            last: state.last_sequence,
            is_empty: state.messages == 0,
        })
    }

    /// The sequence of the last message that the stream has ever taken; 0 for none.
    pub async fn last_sequence(&self, stream: &str) -> Result<u64, Error> {
        self.stream_end(stream).await.map(|end| end.last)
    }
}
