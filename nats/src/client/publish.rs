//! Publishing with an expectation, and telling the possible refusals apart.

use async_nats::{HeaderMap, Request};
use bytes::Bytes;
use serde::Deserialize;

use super::connect::{Client, REQUEST_TIMEOUT};

/// What the server must find before it stores the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// Anything.
    Nothing,
    /// The last message on `filter` has this stream sequence; 0 for none yet.
    LastOn { filter: String, sequence: u64 },
}

/// Why a message was not stored, or may not have been.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Somebody else wrote first, or an earlier answer of the server was lost.
    #[error("the server holds another last message than expected")]
    WrongLastSequence,
    /// No answer: it may be stored or not.
    #[error("the server did not answer in time")]
    TimedOut,
    /// The server holds too many unfinished batches; single messages still work.
    #[error("the server refuses batches for now: {0}")]
    BatchRefused(String),
    #[error("the stream is full or the message too big: {0}")]
    NoRoom(String),
    #[error("refused by the server: {0}")]
    Refused(String),
}

impl PublishError {
    /// Whether the same message may do better in a moment: nobody refused it, it was only not answered.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::TimedOut | Self::BatchRefused(_) => true,
            Self::WrongLastSequence | Self::NoRoom(_) | Self::Refused(_) => false,
        }
    }
}

impl Client {
    /// Publishes one message and waits until it is stored. Returns its stream sequence.
    pub(super) async fn publish(
        &self,
        subject: String,
        mut headers: HeaderMap,
        payload: Bytes,
        expect: &Expect,
    ) -> Result<u64, PublishError> {
        expect.write(&mut headers);
        let request = Request::new()
            .payload(payload)
            .headers(headers)
            .timeout(Some(REQUEST_TIMEOUT));
        let reply = self
            .nats
            .send_request(subject, request)
            .await
            .map_err(|error| refusal(&error))?;
        read_acknowledgement(&reply.payload)
    }
}

impl Expect {
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        if let Self::LastOn { filter, sequence } = self {
            headers.insert(
                "Nats-Expected-Last-Subject-Sequence",
                sequence.to_string().as_str(),
            );
            headers.insert(
                "Nats-Expected-Last-Subject-Sequence-Subject",
                filter.as_str(),
            );
        }
    }
}

pub(super) fn refusal(error: &async_nats::RequestError) -> PublishError {
    match error.kind() {
        async_nats::RequestErrorKind::MaxPayloadExceeded => PublishError::NoRoom(error.to_string()),
        // No responders is a server whose JetStream is not up yet: nothing was stored, and trying again is right.
        _ => PublishError::TimedOut,
    }
}

pub(super) fn read_acknowledgement(payload: &[u8]) -> Result<u64, PublishError> {
    let answer: Acknowledgement = serde_json::from_slice(payload).map_err(|error| {
        PublishError::Refused(format!("an answer that cannot be read ({error})"))
    })?;
    match (answer.error, answer.seq) {
        (Some(error), _) => Err(error.into_refusal()),
        (None, Some(sequence)) => Ok(sequence),
        (None, None) => Err(PublishError::Refused(
            "an answer without a sequence".to_owned(),
        )),
    }
}

#[derive(Deserialize)]
struct Acknowledgement {
    seq: Option<u64>,
    error: Option<ServerRefusal>,
}

#[derive(Deserialize)]
struct ServerRefusal {
    err_code: u64,
    description: String,
}

impl ServerRefusal {
    fn into_refusal(self) -> PublishError {
        match self.err_code {
            // Wrong last sequence, its constant twin, and "this batch is known", which a retried batch gets.
            10071 | 10164 | 10201 => PublishError::WrongLastSequence,
            // Batch: disabled, incomplete, invalid, too many open.
            10174..=10179 | 10199 | 10210 => PublishError::BatchRefused(self.description),
            // JetStream is not up yet, or has no leader: nothing was stored, as when nobody responds.
            10008 | 10039 | 10076 => PublishError::TimedOut,
            // Out of storage, stream at its maximum, message too big.
            10023 | 10047 | 10054 | 10077 => PublishError::NoRoom(self.description),
            _ => PublishError::Refused(format!("{} ({})", self.description, self.err_code)),
        }
    }
}
