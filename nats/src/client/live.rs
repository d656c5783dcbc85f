//! Live messages: sent without waiting, received without a consumer, lost without harm.

use futures::{Stream, StreamExt as _};

use super::connect::Client;
use super::error::Error;
use crate::live::LiveMessage;
use crate::subject;

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
