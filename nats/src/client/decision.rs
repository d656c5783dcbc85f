//! The audit stream. A decision is its own record, and the server lets the first one win.

use async_nats::HeaderMap;

use super::connect::Client;
use super::error::Error;
use super::publish::{Expect, PublishError};
use super::request::Patience;
use crate::audit::{ActionRecord, DecisionRecord};
use crate::ids::GateId;
use crate::{stream, subject};

/// What became of recording a decision.
#[derive(Debug, Clone, PartialEq)]
pub enum Recorded {
    First,
    /// This very decision was recorded by an earlier attempt, and stands as it was then.
    Before(Box<DecisionRecord>),
    /// Somebody was faster; this is what they said.
    Already(Box<DecisionRecord>),
}

impl Client {
    /// Records a decision unless the gate has one.
    pub async fn record_decision(&self, record: &DecisionRecord) -> Result<Recorded, Error> {
        let subject = subject::decision(record.gate);
        let body = serde_json::to_vec(record).map_err(|source| Error::Malformed {
            what: subject.clone(),
            source,
        })?;
        let expect = Expect::LastOn {
            filter: subject.clone(),
            sequence: 0,
        };
        let refusal = match self
            .publish_until_sure(&subject, &HeaderMap::new(), &body.into(), &expect)
            .await
        {
            Ok(_) => return Ok(Recorded::First),
            Err(refusal) => refusal,
        };
        let stored = match refusal {
            PublishError::WrongLastSequence => self.decision_that_is_there(record.gate).await?,
            PublishError::TimedOut => return Err(Error::TimedOut { what: subject }),
            other => return Err(Error::write(subject, &other)),
        };
        // Whose it is that is there, is to be seen: it may be ours, with an answer that was lost.
        if stored.says_the_same(record) {
            Ok(Recorded::Before(Box::new(stored)))
        } else {
            Ok(Recorded::Already(Box::new(stored)))
        }
    }

    /// The decision of a gate of which the server says that it has one. In a cluster the copy that is asked may be a
    /// moment behind the one that said so.
    async fn decision_that_is_there(&self, gate: GateId) -> Result<DecisionRecord, Error> {
        let patience = Patience::new();
        loop {
            match self.decision(gate).await? {
                Some(decision) => return Ok(decision),
                None if patience.again().await => {}
                None => {
                    return Err(Error::Behind {
                        what: subject::decision(gate),
                    });
                }
            }
        }
    }

    /// The decision of a gate, if there is one.
    pub async fn decision(&self, gate: GateId) -> Result<Option<DecisionRecord>, Error> {
        let subject = subject::decision(gate);
        let Some((_, payload)) = self.last_message(stream::AUDIT, &subject).await? else {
            return Ok(None);
        };
        serde_json::from_slice(&payload)
            .map(Some)
            .map_err(|source| Error::Malformed {
                what: subject,
                source,
            })
    }

    /// Records what a person did, once however often it is sent.
    pub async fn record_action(&self, record: &ActionRecord) -> Result<(), Error> {
        let subject = subject::audit(&record.action, record.id);
        let body = serde_json::to_vec(record).map_err(|source| Error::Malformed {
            what: subject.clone(),
            source,
        })?;
        let expect = Expect::LastOn {
            filter: subject.clone(),
            sequence: 0,
        };
        match self
            .publish_until_sure(&subject, &HeaderMap::new(), &body.into(), &expect)
            .await
        {
            // Only an earlier attempt could have written there.
            Ok(_) | Err(PublishError::WrongLastSequence) => Ok(()),
            Err(refusal) => Err(Error::write(subject, &refusal)),
        }
    }
}
