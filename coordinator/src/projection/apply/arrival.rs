//! An event as it came, and what reading it gave. Half of the work of taking one in, and it needs no transaction: whoever
//! brings it has done it before the writer's turn comes.

use bytes::Bytes;
use nats::{Envelope, Header};

#[derive(Debug, Clone)]
pub struct Arrival {
    pub subject: String,
    pub body: Bytes,
    pub(super) read: Read,
}

#[derive(Debug, Clone)]
pub(super) struct Read {
    /// None for what is no envelope, or one on another subject than it says.
    pub header: Option<Header>,
    /// Or why it is not of the shape that its type says.
    pub envelope: Result<Envelope, String>,
}

impl Arrival {
    #[must_use]
    pub fn new(subject: String, body: Bytes) -> Self {
        let read = Read::of(&subject, &body);
        Self {
            subject,
            body,
            read,
        }
    }
}

impl Read {
    pub(super) fn of(subject: &str, body: &[u8]) -> Self {
        let envelope = serde_json::from_slice::<Envelope>(body).map_err(|error| error.to_string());
        let header = match &envelope {
            Ok(envelope) => Header::of(subject, envelope),
            // A known type with a body of another shape is kept and shown by its name; only its meaning is lost.
            Err(_) => Header::read(subject, body),
        };
        Self { header, envelope }
    }
}
