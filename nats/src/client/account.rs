//! What the servers believe of an account, asked and told in the system account.

use async_nats::HeaderMap;
use bytes::Bytes;
use serde::Deserialize;

use super::connect::Client;
use super::error::Error;
use super::request::Unanswered;
use crate::credentials::permissions::{CLAIMS_UPDATE, claims_lookup};

/// What a server says of an update.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    error: Option<Said>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    description: String,
}

impl Client {
    /// The token that a server has of an account; none when it has none.
    pub async fn account_token(&self, account: &str) -> Result<Option<String>, Error> {
        let subject = claims_lookup(account);
        let answer = self.ask(&subject, HeaderMap::new(), Bytes::new()).await;
        let answer = answer.map_err(|error| unanswered(&subject, &error))?;
        let token = String::from_utf8_lossy(&answer.payload).trim().to_owned();
        Ok(Some(token).filter(|token| !token.is_empty()))
    }

    /// Gives the servers a token of an account. It holds at once: who is revoked in it is cut off.
    pub async fn update_account(&self, token: String) -> Result<(), Error> {
        let answer = self
            .ask(CLAIMS_UPDATE, HeaderMap::new(), token.into())
            .await;
        let answer = answer.map_err(|error| unanswered(CLAIMS_UPDATE, &error))?;
        let answer: Answer =
            serde_json::from_slice(&answer.payload).map_err(|source| Error::Malformed {
                what: CLAIMS_UPDATE.to_owned(),
                source,
            })?;
        match answer.error {
            None => Ok(()),
            Some(said) => Err(Error::Refused {
                what: CLAIMS_UPDATE.to_owned(),
                cause: said.description,
            }),
        }
    }
}

fn unanswered(what: &str, error: &Unanswered) -> Error {
    match error {
        Unanswered::Nobody => Error::read(what, &"the servers take no accounts"),
        Unanswered::TooBig(cause) => Error::read(what, cause),
        Unanswered::Away | Unanswered::Lost => Error::TimedOut {
            what: what.to_owned(),
        },
    }
}
