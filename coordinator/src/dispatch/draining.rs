//! Which hosts take no new sessions: a record for each, there as long as it drains.

use nats::client::WriteError;
use nats::ids::HostName;
use nats::record::DrainRecord;

use super::{Dispatch, Error};

impl Dispatch {
    /// False when it drained already.
    pub async fn drain(&self, record: &DrainRecord) -> Result<bool, Error> {
        let host = &record.host;
        let created = self
            .persist
            .until_stored(None, 0, || self.drains.create(host.as_str(), record))
            .await?;
        match created {
            Ok(_) => Ok(true),
            Err(WriteError::Conflict) => Ok(false),
            Err(source) => Err(Error::Drain {
                host: host.clone(),
                source,
            }),
        }
    }

    /// Lets new sessions come again.
    pub async fn end_drain(&self, host: &HostName) -> Result<(), Error> {
        self.persist
            .until_stored(None, 0, || self.drains.delete(host.as_str()))
            .await?
            .map_err(|source| Error::Drain {
                host: host.clone(),
                source,
            })
    }
}
