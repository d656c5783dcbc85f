//! The audit stream. A decision is its own record, and the server lets the first one win.

use async_nats::HeaderMap;

use super::connect::Client;
use super::error::Error;
use super::publish::{Expect, PublishError};
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
            .publish(subject.clone(), HeaderMap::new(), body.into(), &expect)
            .await
        {
            Ok(_) => return Ok(Recorded::First),
            Err(refusal) => refusal,
        };
        match refusal {
            // Whose it is that is there, is to be seen: it may be ours, with an answer that was lost.
            PublishError::WrongLastSequence | PublishError::TimedOut => {}
            other => return Err(Error::write(subject, &other)),
        }
        match self.decision(record.gate).await? {
            Some(stored) if stored.says_the_same(record) => Ok(Recorded::Before(Box::new(stored))),
            Some(winner) => Ok(Recorded::Already(Box::new(winner))),
            None if refusal == PublishError::TimedOut => Err(Error::TimedOut { what: subject }),
            None => Err(Error::read(
                subject,
                &"the server said there is a decision and then that there is none",
            )),
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
            .publish(subject.clone(), HeaderMap::new(), body.into(), &expect)
            .await
        {
            // Only an earlier attempt could have written there.
            Ok(_) | Err(PublishError::WrongLastSequence) => Ok(()),
            Err(refusal) => Err(Error::write(subject, &refusal)),
        }
    }
}
