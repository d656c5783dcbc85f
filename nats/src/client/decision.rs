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
        match self
            .publish(subject.clone(), HeaderMap::new(), body.into(), &expect)
            .await
        {
            Ok(_) => Ok(Recorded::First),
            Err(PublishError::WrongLastSequence) => {
                let winner = self.decision(record.gate).await?.ok_or_else(|| {
                    Error::read(
                        subject,
                        &"the server said there is a decision and then that there is none",
                    )
                })?;
                Ok(if winner == *record {
                    Recorded::First
                } else {
                    Recorded::Already(Box::new(winner))
                })
            }
            Err(PublishError::TimedOut) => match self.decision(record.gate).await? {
                Some(winner) if winner == *record => Ok(Recorded::First),
                Some(winner) => Ok(Recorded::Already(Box::new(winner))),
                None => Err(Error::TimedOut { what: subject }),
            },
            Err(other) => Err(Error::Write {
                what: subject,
                cause: other.to_string(),
            }),
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

    /// Records what a person did.
    pub async fn record_action(&self, record: &ActionRecord) -> Result<u64, Error> {
        let subject = subject::audit(&record.action, record.id);
        let body = serde_json::to_vec(record).map_err(|source| Error::Malformed {
            what: subject.clone(),
            source,
        })?;
        self.publish(
            subject.clone(),
            HeaderMap::new(),
            body.into(),
            &Expect::Nothing,
        )
        .await
        .map_err(|error| Error::Write {
            what: subject,
            cause: error.to_string(),
        })
    }
}
