//! What every envelope has, whatever is inside, and whether it stands where it says.

use serde::Deserialize;

use crate::envelope::Envelope;
use crate::ids::{EventId, HostName, SessionId};
use crate::subject::{self, Kind};
use crate::timestamp::Timestamp;

/// The envelope of an event without its body, so that an event of a newer runner can be placed too.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Header {
    pub id: EventId,
    pub session: SessionId,
    pub host: HostName,
    pub epoch: u64,
    pub seq: u64,
    pub at: Timestamp,
    #[serde(rename = "type")]
    pub event_type: String,
}

impl Header {
    /// Of a message in EVENTS, if it is one and stands on the subject it says. A host's credential limits the subject,
    /// so what a host claims in a body of another's name ends here.
    #[must_use]
    pub fn read(subject: &str, body: &[u8]) -> Option<Self> {
        let header: Self = serde_json::from_slice(body).ok()?;
        header.stands_on(subject).then_some(header)
    }

    /// The same of a message that was read whole.
    #[must_use]
    pub fn of(subject: &str, envelope: &Envelope) -> Option<Self> {
        let header = Self {
            id: envelope.id,
            session: envelope.session,
            host: envelope.host.clone(),
            epoch: envelope.epoch,
            seq: envelope.seq,
            at: envelope.at,
            event_type: envelope.body.tag().to_owned(),
        };
        header.stands_on(subject).then_some(header)
    }

    fn stands_on(&self, subject: &str) -> bool {
        subject::parse(subject).is_ok_and(|parsed| {
            parsed.kind == Kind::Event
                && parsed.host == self.host
                && parsed.session == Some(self.session)
                && parsed.message_type == self.event_type
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(change: impl FnOnce(&mut Value)) -> Option<Header> {
        let (session, host) = (SessionId::new(), "vps-1".parse().unwrap());
        let subject = subject::event(&host, session, "session.ended");
        let mut body = json!({"v": 1, "id": EventId::new(), "session": session, "host": host, "epoch": 1, "seq": 7,
                              "at": Timestamp::now(), "type": "session.ended", "data": {}});
        change(&mut body);
        Header::read(&subject, &serde_json::to_vec(&body).unwrap())
    }

    #[test]
    fn a_header_is_whole_and_stands_where_it_says() {
        assert_eq!(read(|_| {}).unwrap().seq, 7);
        for name in ["id", "session", "host", "epoch", "seq", "at", "type"] {
            let without = read(|body| {
                body.as_object_mut().unwrap().remove(name);
            });
            assert_eq!(without, None, "without {name}");
        }
        assert_eq!(read(|body| body["host"] = json!("vps-2")), None);
        assert_eq!(read(|body| body["session"] = json!(SessionId::new())), None);
        assert_eq!(read(|body| body["type"] = json!("turn.started")), None);
    }
}
