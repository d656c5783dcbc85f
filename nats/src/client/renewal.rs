//! A host asks for a new token on a subject of its own, and a coordinator answers.
//!
//! The server checks who may ask where, but not where the answer is to go: a reply subject could lie in the records or in
//! the commands of another host. So only an answer into the asker's own inbox is given.

use async_nats::HeaderMap;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};

use super::connect::Client;
use super::error::Error;
use super::request::Unanswered;
use crate::credentials::inbox_prefix;
use crate::ids::HostName;
use crate::renewal::{RenewalAnswer, RenewalRequest};
use crate::subject;

/// Of all coordinators one answers.
const COORDINATORS: &str = "coordinators";
const VERSION: u8 = 1;

/// A host that asks.
pub struct Asking {
    pub host: HostName,
    answer_to: async_nats::Subject,
    client: async_nats::Client,
}

impl Client {
    /// Asks for a new token of this host. Once, and bounded.
    pub async fn ask_for_renewal(&self, host: &HostName) -> Result<RenewalAnswer, Error> {
        let subject = subject::renewal(host);
        let malformed = |source| Error::Malformed {
            what: subject::renewal(host),
            source,
        };
        let body = serde_json::to_vec(&RenewalRequest { v: VERSION }).map_err(malformed)?;
        let answer = self.ask(&subject, HeaderMap::new(), body.into()).await;
        let answer = answer.map_err(|unanswered| match unanswered {
            Unanswered::Nobody => Error::read(&subject, &"no coordinator listens"),
            Unanswered::TooBig(cause) => Error::read(&subject, &cause),
            Unanswered::Away | Unanswered::Lost => Error::TimedOut {
                what: subject.clone(),
            },
        })?;
        serde_json::from_slice(&answer.payload).map_err(malformed)
    }

    /// Every host that asks from now on, unless another coordinator was given it.
    pub async fn renewals(&self) -> Result<impl Stream<Item = Asking> + use<>, Error> {
        let subscription = self
            .nats
            .queue_subscribe(subject::ALL_RENEWALS, COORDINATORS.to_owned())
            .await
            .map_err(|error| Error::read(subject::ALL_RENEWALS, &error))?;
        let client = self.nats.clone();
        Ok(subscription.filter_map(move |message| {
            let host = subject::renewing_host(&message.subject);
            let asking = host.zip(message.reply).and_then(|(host, reply)| {
                if is_inbox_of(&host, &reply) {
                    return Some(Asking {
                        host,
                        answer_to: reply,
                        client: client.clone(),
                    });
                }
                tracing::error!(%host, nats.reply = %reply, "a host asks for an answer outside its own inbox; it gets none");
                None
            });
            std::future::ready(asking)
        }))
    }
}

impl Asking {
    /// Tells the host. An answer that is lost is asked for again.
    pub async fn answer(&self, answer: &RenewalAnswer) -> Result<(), Error> {
        let what = || subject::renewal(&self.host);
        let body = serde_json::to_vec(answer).map_err(|source| Error::Malformed {
            what: what(),
            source,
        })?;
        self.client
            .publish(self.answer_to.clone(), Bytes::from(body))
            .await
            .map_err(|error| Error::read(what(), &error))
    }
}

fn is_inbox_of(host: &HostName, reply: &str) -> bool {
    reply
        .strip_prefix(&inbox_prefix(host))
        .and_then(|rest| rest.strip_prefix('.'))
        .is_some_and(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hosts_own_inbox_is_answered_to() {
        let host: HostName = "vps-1".parse().unwrap();
        assert!(is_inbox_of(&host, "_INBOX_host_vps-1.abc.1"));
        for elsewhere in [
            "_INBOX_host_vps-1",
            "_INBOX_host_vps-1.",
            "_INBOX_host_vps-10.abc",
            "_INBOX_host_vps-2.abc",
            "_INBOX_coordinator.abc",
            "$KV.hosts.vps-2",
            "fleet.vps-2.ses_1.command.session.stop.cmd_1",
        ] {
            assert!(!is_inbox_of(&host, elsewhere), "{elsewhere}");
        }
    }
}
