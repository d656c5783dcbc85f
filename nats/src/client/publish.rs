//! Publishing with an expectation, and telling the possible refusals apart.

use async_nats::HeaderMap;
use bytes::Bytes;
use serde::Deserialize;

use super::connect::Client;
use super::request::{Patience, Unanswered};

/// What the server must find before it stores the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// Anything.
    Nothing,
    /// The last message on `filter` has this stream sequence; 0 for none yet.
    LastOn { filter: String, sequence: u64 },
    /// The last message of the whole stream has this sequence.
    Last { sequence: u64 },
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

/// How one attempt failed.
pub(super) enum Attempt {
    /// A server without the one that keeps the stream, as while its leader is chosen. Nothing was stored.
    NobodyThere,
    Failed(PublishError),
}

impl Client {
    /// Publishes one message and waits until it is stored. Returns its stream sequence. Tried again only where nothing
    /// can have been stored.
    pub(super) async fn publish(
        &self,
        subject: &str,
        headers: &HeaderMap,
        payload: &Bytes,
        expect: &Expect,
    ) -> Result<u64, PublishError> {
        let patience = Patience::new();
        loop {
            match self.publish_once(subject, headers, payload, expect).await {
                Err(Attempt::NobodyThere) if patience.again().await => {}
                done => return Ok(done?),
            }
        }
    }

    /// The same for what may be sent twice: tried again also where it may have been stored.
    pub(super) async fn publish_until_sure(
        &self,
        subject: &str,
        headers: &HeaderMap,
        payload: &Bytes,
        expect: &Expect,
    ) -> Result<u64, PublishError> {
        let patience = Patience::new();
        loop {
            match self.publish_once(subject, headers, payload, expect).await {
                Err(Attempt::NobodyThere | Attempt::Failed(PublishError::TimedOut))
                    if patience.again().await => {}
                done => return Ok(done?),
            }
        }
    }

    async fn publish_once(
        &self,
        subject: &str,
        headers: &HeaderMap,
        payload: &Bytes,
        expect: &Expect,
    ) -> Result<u64, Attempt> {
        let mut headers = headers.clone();
        expect.write(&mut headers);
        let reply = self.ask(subject, headers, payload.clone()).await?;
        read_acknowledgement(&reply.payload)
    }
}

impl Expect {
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        match self {
            Self::Nothing => {}
            Self::LastOn { filter, sequence } => {
                headers.insert(
                    "Nats-Expected-Last-Subject-Sequence",
                    sequence.to_string().as_str(),
                );
                headers.insert(
                    "Nats-Expected-Last-Subject-Sequence-Subject",
                    filter.as_str(),
                );
            }
            Self::Last { sequence } => {
                headers.insert("Nats-Expected-Last-Sequence", sequence.to_string().as_str());
            }
        }
    }
}

impl From<Unanswered> for Attempt {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::TooBig(error) => Self::Failed(PublishError::NoRoom(error)),
            Unanswered::Nobody => Self::NobodyThere,
            Unanswered::Away | Unanswered::Lost => Self::Failed(PublishError::TimedOut),
        }
    }
}

/// What a caller is told who will not try again by itself.
impl From<Attempt> for PublishError {
    fn from(attempt: Attempt) -> Self {
        match attempt {
            Attempt::NobodyThere => Self::TimedOut,
            Attempt::Failed(error) => error,
        }
    }
}

pub(super) fn read_acknowledgement(payload: &[u8]) -> Result<u64, Attempt> {
    let refused = |why: String| Attempt::Failed(PublishError::Refused(why));
    let answer: Acknowledgement = serde_json::from_slice(payload)
        .map_err(|error| refused(format!("an answer that cannot be read ({error})")))?;
    match (answer.error, answer.seq) {
        (Some(error), _) => Err(error.into_attempt()),
        (None, Some(sequence)) => Ok(sequence),
        (None, None) => Err(refused("an answer without a sequence".to_owned())),
    }
}

#[derive(Deserialize)]
struct Acknowledgement {
    seq: Option<u64>,
    error: Option<ServerRefusal>,
}

#[derive(Deserialize)]
struct ServerRefusal {
    #[serde(default)]
    code: u64,
    /// Missing where a leader loses its office with the message in its hands.
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

impl ServerRefusal {
    fn into_attempt(self) -> Attempt {
        Attempt::Failed(match self.err_code {
            // Wrong last sequence, its constant twin, and "this batch is known", which a retried batch gets.
            10071 | 10164 | 10201 => PublishError::WrongLastSequence,
            // Batch: disabled, incomplete, invalid, too many open.
            10174..=10179 | 10199 | 10210 => PublishError::BatchRefused(self.description),
            // Out of storage, stream at its maximum, message too big.
            10023 | 10047 | 10054 | 10077 => PublishError::NoRoom(self.description),
            // JetStream is not up yet; no cluster, no leader, no stream at the moment; or too much at once.
            10008 | 10009 | 10039 | 10076 | 10118 | 10163 | 10167 => return Attempt::NobodyThere,
            0 if self.code == 503 => return Attempt::NobodyThere,
            _ => PublishError::Refused(format!("{} ({})", self.description, self.err_code)),
        })
    }
}
