//! How far a stream has come, for a reader that compares its own place with it.

use super::connect::Client;
use super::error::Error;

impl Client {
    /// The sequence of the last message that the stream has ever taken; 0 for none.
    pub async fn last_sequence(&self, stream: &str) -> Result<u64, Error> {
        let stream_now = self
            .jetstream
            .get_stream(stream)
            .await
            .map_err(|error| Error::read(stream, &error))?;
        Ok(stream_now.cached_info().state.last_sequence)
    }
}
