//! Live messages: sent without waiting, received without a consumer, lost without harm.

use futures::{Stream, StreamExt as _};

use super::connect::Client;
use super::error::Error;
use crate::ids::{CommandId, HostName, SessionId};
use crate::live::LiveMessage;
use crate::report::{Answer, Report, ReportMessage};
use crate::subject;
use crate::wire::{Tagged as _, Wire};

impl Client {
    /// Sends a live message if there is a server now, and drops it otherwise: the agent must never wait for it.
    pub async fn publish_live(&self, message: &LiveMessage) {
        if !self.connection().borrow().up {
            return;
        }
        let subject = subject::live(&message.host, message.session, message.body.tag());
        match serde_json::to_vec(message) {
            Ok(body) => {
                if let Err(error) = self.nats.publish(subject, body.into()).await {
                    tracing::debug!(%error, "a live message was dropped");
                }
            }
            Err(error) => tracing::error!(%error, "a live message could not be written"),
        }
    }

    /// Answers who asked how a session's log stands.
    pub async fn publish_report(&self, message: &ReportMessage) -> Result<(), Error> {
        let subject = subject::live(&message.host, message.session, message.body.tag());
        let body = serde_json::to_vec(message).map_err(|source| Error::Malformed {
            what: subject.clone(),
            source,
        })?;
        self.nats
            .publish(subject.clone(), body.into())
            .await
            .map_err(|error| Error::read(subject, &error))
    }

    /// The reports of a session on its host from now on. Ask once this has returned.
    pub async fn reports(&self, host: &HostName, session: SessionId) -> Result<Reports, Error> {
        let subject = subject::live(host, session, Answer::Report(Report::default()).tag());
        let failed = |error: &dyn std::fmt::Display| Error::read(&subject, error);
        let messages = self
            .nats
            .subscribe(subject.clone())
            .await
            .map_err(|error| failed(&error))?;
        // The server knows of it before whoever is asked can answer.
        self.nats.flush().await.map_err(|error| failed(&error))?;
        Ok(Reports { messages })
    }

    /// Every refusal of a start from now on. One under another name than its sender's is left out.
    pub async fn start_refusals(&self) -> Result<impl Stream<Item = ReportMessage> + use<>, Error> {
        let subscription = self
            .nats
            .subscribe(subject::ALL_START_REFUSALS)
            .await
            .map_err(|error| Error::read(subject::ALL_START_REFUSALS, &error))?;
        Ok(subscription.filter_map(|message| {
            let read = serde_json::from_slice::<ReportMessage>(&message.payload)
                .inspect_err(|error| tracing::warn!(%error, nats.subject = %message.subject, "unreadable refusal of a start"));
            let ours = read.ok().filter(|it| {
                subject::live(&it.host, it.session, it.body.tag()) == message.subject.as_str()
            });
            std::future::ready(ours)
        }))
    }

    /// Every live message of the fleet from now on. What cannot be read is left out.
    pub async fn live_messages(&self) -> Result<impl Stream<Item = LiveMessage> + use<>, Error> {
        let subscription = self
            .nats
            .subscribe(subject::ALL_LIVE)
            .await
            .map_err(|error| Error::read(subject::ALL_LIVE, &error))?;
        Ok(subscription.filter_map(|message| {
            let read = serde_json::from_slice(&message.payload)
                .inspect_err(|error| tracing::warn!(%error, nats.subject = %message.subject, "unreadable live message"));
            std::future::ready(read.ok())
        }))
    }
}

/// Reports of one session, as they come.
pub struct Reports {
    messages: async_nats::Subscriber,
}

impl Reports {
    /// The answer to `ask`; none when the connection is gone for good. Waits for as long as it takes.
    pub async fn answer(&mut self, ask: CommandId) -> Option<Report> {
        loop {
            let message = self.messages.next().await?;
            match serde_json::from_slice::<ReportMessage>(&message.payload) {
                Ok(ReportMessage {
                    body: Wire::Known(Answer::Report(report)),
                    ..
                }) if report.ask == Some(ask) => return Some(report),
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, nats.subject = %message.subject, "unreadable report");
                }
            }
        }
    }
}
