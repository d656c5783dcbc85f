//! Makes the token of the fleet's account anew, with those in it whom the fleet has revoked.
//!
//! Holds a key that the operator lent for that. Knows neither why somebody is revoked nor how a server is told.

use std::path::{Path, PathBuf};

use nkeys::{KeyPair, KeyPairType};
use serde_json::{Map, Value};

use super::authority::{self, ACCOUNTS_KEY, ACCOUNTS_USER, Error, FLEET, FLEET_TOKEN};
use super::{claims, jwt};
use crate::revocation::RevocationsRecord;

/// The account, and the key that speaks for the operator.
pub struct FleetAccount {
    key: KeyPair,
    account: String,
    /// What the account says apart from revocations.
    base: Value,
    system_credentials: PathBuf,
}

impl FleetAccount {
    /// Opens it in the folder of [`super::Credentials`], or in one that holds the files a coordinator needs; none where
    /// there is no such key.
    pub fn open(folder: &Path) -> Result<Option<Self>, Error> {
        let path = folder.join(ACCOUNTS_KEY);
        if authority::read(&path)?.is_none() {
            return Ok(None);
        }
        let key = authority::key(&path, KeyPairType::Operator)?;
        let path = folder.join(FLEET_TOKEN);
        let claims = authority::read(&path)?.and_then(|token| jwt::claims(&token).ok());
        let Some((claims, account)) = claims.and_then(|claims| {
            let account = claims["sub"].as_str()?.to_owned();
            Some((claims, account))
        }) else {
            return Err(Error::NoAccount { path });
        };
        Ok(Some(Self {
            key,
            account,
            base: claims["nats"].clone(),
            system_credentials: folder.join(format!("{ACCOUNTS_USER}.creds")),
        }))
    }

    /// With which the servers are told; in the system account.
    #[must_use]
    pub fn system_credentials(&self) -> &Path {
        &self.system_credentials
    }

    /// The public key of the account.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Whether a server that has this token holds to all that is revoked, and to what this build says of the account.
    #[must_use]
    pub fn is_told(&self, token: &str, record: &RevocationsRecord) -> bool {
        jwt::claims(token).is_ok_and(|claims| claims["nats"] == self.claims(record))
    }

    /// The token with all that is revoked, newer than the one it is to replace: of two tokens servers keep the newer.
    pub fn token(
        &self,
        record: &RevocationsRecord,
        replaced: Option<&str>,
    ) -> Result<String, Error> {
        let replaced = replaced
            .and_then(|token| jwt::claims(token).ok())
            .and_then(|claims| claims["iat"].as_i64());
        let now = jiff::Timestamp::now().as_second();
        let issued_at = replaced.map_or(now, |before| now.max(before + 1));
        let nats = self.claims(record);
        let claims = claims::issue_at(issued_at, FLEET, &self.account, &self.key, &nats);
        authority::signed(FLEET, &claims, &self.key)
    }

    fn claims(&self, record: &RevocationsRecord) -> Value {
        let mut nats = self.base.clone();
        if !record.revoked.is_empty() {
            // What was made of a key up to that second is void, and a host's key is never let in again.
            let revoked: Map<String, Value> = record
                .revoked
                .iter()
                .map(|(key, revocation)| {
                    let second = revocation.at.milliseconds().div_euclid(1000) + 1;
                    (key.to_string(), Value::from(second))
                })
                .collect();
            nats["revocations"] = Value::Object(revoked);
        }
        nats
    }
}
