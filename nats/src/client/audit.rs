//! The audit stream as a chain: reading it whole, and storing checkpoints behind its end.

use async_nats::HeaderMap;
use tokio::sync::mpsc;

use super::connect::Client;
use super::error::Error;
use super::follow::{Followed, From};
use super::publish::{Expect, PublishError};
use crate::audit::{AuditPublicKey, Checkpoint, Stored, nanoseconds};
use crate::{stream, subject};

impl Client {
    /// Follows the audit from a record on, for ever.
    #[must_use]
    pub fn follow_audit(&self, from: u64) -> mpsc::Receiver<Followed> {
        self.follow(stream::AUDIT, subject::ALL_AUDIT, From::Sequence(from))
    }

    /// The newest checkpoint by one key.
    pub async fn last_checkpoint(&self, key: &AuditPublicKey) -> Result<Option<Stored>, Error> {
        let filter = subject::checkpoints_of(key);
        let Some((sequence, headers, payload)) = self.last_raw(stream::AUDIT, &filter).await?
        else {
            return Ok(None);
        };
        let text = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
        let subject = text("Nats-Subject");
        let time = text("Nats-Time-Stamp").and_then(|time| nanoseconds(&time));
        let (Some(subject), Some(time_nanoseconds)) = (subject, time) else {
            return Err(Error::read(filter, &"an answer without subject and time"));
        };
        Ok(Some(Stored {
            sequence,
            subject,
            time_nanoseconds,
            payload,
        }))
    }

    /// Stores a checkpoint, if nothing has come behind what it covers: so each stands where it belongs, and of two that
    /// are written at once one is refused.
    pub async fn write_checkpoint(&self, checkpoint: &Checkpoint) -> Result<u64, PublishError> {
        let body = serde_json::to_vec(checkpoint)
            .map_err(|error| PublishError::Refused(error.to_string()))?;
        let expect = Expect::Last {
            sequence: checkpoint.through,
        };
        self.publish(
            &checkpoint.subject(),
            &HeaderMap::new(),
            &body.into(),
            &expect,
        )
        .await
    }
}

impl std::convert::From<Followed> for Stored {
    fn from(followed: Followed) -> Self {
        Self {
            sequence: followed.sequence,
            subject: followed.subject,
            time_nanoseconds: followed.time_nanoseconds,
            payload: followed.payload,
        }
    }
}
