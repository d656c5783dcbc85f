//! Changes to a session's record until its host has begun: where it goes, what was said to it early, and its end.
//!
//! Each reads the record as it is and writes it by compare-and-set, so any number of coordinators may try at once and
//! one of them does it.

use nats::Timestamp;
use nats::client::WriteError;
use nats::ids::{CommandId, HostName, SessionId, UserId};
use nats::record::{EarlyMessage, SessionRecord, Stopped};

use super::{Dispatch, Error};
use crate::placement::Placed;

/// Whoever loses this often against others who change the same record does so for no good reason.
const ATTEMPTS_MAX: usize = 32;
/// What may wait in a record, well below what a server takes in one message.
const EARLY_BYTES_MAX: usize = 384 * 1024;
const EARLY_MAX: usize = 50;

/// What became of a message that came before its host had begun.
#[derive(Debug, Clone, PartialEq)]
pub enum Early {
    /// It is in the record now, or was there already.
    Kept(Box<SessionRecord>),
    /// More than a record holds waits already.
    TooMuch,
}

impl Dispatch {
    /// Gives a session that waits to a host. None when another coordinator was faster, or somebody has ended it.
    pub async fn place(
        &self,
        session: SessionId,
        placed: &Placed,
    ) -> Result<Option<SessionRecord>, Error> {
        self.ready_host(session, &placed.host).await?;
        self.change_session(session, |record| {
            let waits = record.placement.queued_since.take().is_some();
            record.host = placed.host.clone();
            record.placement.reason = Some(placed.reason.clone());
            waits && record.placement.stopped.is_none()
        })
        .await
    }

    /// Takes a session back that its host has refused to begin. It goes on in the next epoch: in this one the host will
    /// not begin it, whoever asks.
    pub async fn queue_again(
        &self,
        session: SessionId,
        host: &HostName,
        epoch: u64,
    ) -> Result<Option<SessionRecord>, Error> {
        self.change_session(session, |record| {
            let is_theirs = record.host == *host && record.epoch == epoch;
            record.host = HostName::queued();
            record.epoch += 1;
            record.placement.queued_since = Some(Timestamp::now());
            record.placement.reason = None;
            is_theirs
        })
        .await
    }

    /// Keeps what was said to a session whose host has not begun.
    pub async fn keep_early(
        &self,
        session: SessionId,
        message: &EarlyMessage,
    ) -> Result<Early, Error> {
        let known = self.session_record(session).await?;
        let waiting = &known.placement.waiting;
        if waiting.iter().any(|it| it.id == message.id) {
            return Ok(Early::Kept(Box::new(known)));
        }
        let prompt = known.prompt.as_ref().map_or(0, |it| it.text.len());
        let bytes: usize = waiting.iter().map(|it| it.message.text.len()).sum();
        let too_much = bytes + prompt + message.message.text.len() > EARLY_BYTES_MAX;
        if too_much || waiting.len() >= EARLY_MAX {
            return Ok(Early::TooMuch);
        }
        let changed = self
            .change_session(session, |record| {
                let waiting = &mut record.placement.waiting;
                let new = waiting.iter().all(|it| it.id != message.id);
                waiting.push(message.clone());
                new
            })
            .await?;
        let record = match changed {
            Some(record) => record,
            None => self.session_record(session).await?,
        };
        Ok(Early::Kept(Box::new(record)))
    }

    /// Lets go of what the host has taken.
    pub async fn forget_early(&self, session: SessionId, taken: &[CommandId]) -> Result<(), Error> {
        self.change_session(session, |record| {
            let before = record.placement.waiting.len();
            record
                .placement
                .waiting
                .retain(|it| !taken.contains(&it.id));
            record.placement.waiting.len() != before
        })
        .await
        .map(|_| ())
    }

    /// Notes that somebody has ended a session before its host had begun. The record as it is then.
    pub async fn stop_early(
        &self,
        session: SessionId,
        by: UserId,
        command: CommandId,
    ) -> Result<SessionRecord, Error> {
        let changed = self
            .change_session(session, |record| {
                let new = record.placement.stopped.is_none();
                let at = Timestamp::now();
                record.placement.stopped = Some(Stopped { by, at, command });
                new
            })
            .await?;
        match changed {
            Some(record) => Ok(record),
            None => self.session_record(session).await,
        }
    }

    /// Sends what was said early, in order. The session takes each once.
    pub async fn send_early(&self, record: &SessionRecord) -> Result<(), Error> {
        for early in &record.placement.waiting {
            let message = early.message.clone();
            self.send(record, early.id, message.into(), Some(early.by), early.at)
                .await?;
        }
        Ok(())
    }

    /// The record as NATS has it.
    async fn session_record(&self, session: SessionId) -> Result<SessionRecord, Error> {
        let key = session.to_string();
        self.persist
            .until_stored(None, 0, || self.sessions.get_existing(&key))
            .await?
            .map(|entry| entry.value)
            .map_err(|source| Error::ReadSession { session, source })
    }

    /// Changes the record as it is now. `change` says whether there is anything to write; what it has changed is
    /// thrown away otherwise. None when there was nothing to do.
    async fn change_session(
        &self,
        session: SessionId,
        change: impl Fn(&mut SessionRecord) -> bool,
    ) -> Result<Option<SessionRecord>, Error> {
        let key = session.to_string();
        for _ in 0..ATTEMPTS_MAX {
            let attempt = || async {
                let found = self.sessions.get_existing(&key).await?;
                let mut record = found.value;
                if !change(&mut record) {
                    return Ok(None);
                }
                self.sessions
                    .update(&key, &record, found.revision)
                    .await
                    .map(|_| Some(record))
            };
            match self.persist.until_stored(Some(session), 0, attempt).await? {
                Ok(changed) => return Ok(changed),
                Err(WriteError::Conflict) => {}
                Err(source) => return Err(Error::Session { session, source }),
            }
        }
        let source = WriteError::Conflict;
        Err(Error::Session { session, source })
    }
}
