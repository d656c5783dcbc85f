//! Several messages stored all or none: the server's atomic batch, which the client library does not speak yet.

use async_nats::HeaderMap;
use bytes::Bytes;

use super::connect::Client;
use super::publish::{Attempt, Expect, PublishError, read_acknowledgement};
use super::request::PAUSE;

/// The server takes at most 1,000 messages in a batch; half of that keeps one commit short.
pub(super) const BATCH_MAX: usize = 500;

pub(super) struct BatchMessage {
    pub subject: String,
    pub headers: HeaderMap,
    pub payload: Bytes,
}

impl Client {
    /// Publishes all of `messages` or none. `expect` holds for the first. Returns the last one's stream sequence.
    pub(super) async fn publish_batch(
        &self,
        messages: Vec<BatchMessage>,
        expect: &Expect,
    ) -> Result<u64, PublishError> {
        let batch = uuid::Uuid::now_v7().simple().to_string();
        let count = messages.len();
        for (index, message) in messages.into_iter().enumerate() {
            let mut headers = message.headers;
            headers.insert("Nats-Batch-Id", batch.as_str());
            headers.insert("Nats-Batch-Sequence", (index + 1).to_string().as_str());
            if index == 0 {
                expect.write(&mut headers);
            }
            if index + 1 < count {
                self.nats
                    .publish_with_headers(message.subject, headers, message.payload)
                    .await
                    .map_err(|_| PublishError::TimedOut)?;
                continue;
            }
            headers.insert("Nats-Batch-Commit", "1");
            let stored = match self.ask(&message.subject, headers, message.payload).await {
                Ok(reply) => read_acknowledgement(&reply.payload),
                Err(unanswered) => Err(unanswered.into()),
            };
            if matches!(stored, Err(Attempt::NobodyThere)) {
                // The caller looks what is stored and sends it all again; it should not do so without a pause.
                tokio::time::sleep(PAUSE).await;
            }
            return Ok(stored?);
        }
        Err(PublishError::Refused("an empty batch".to_owned()))
    }
}
