//! Lets hosts in: signs the tokens of their keys.
//!
//! Holds no more than a coordinator needs for that: a key that can make hosts of this fleet and nothing else. Knows
//! neither who may join nor who was revoked; it signs what it is asked to.

use std::path::Path;

use nkeys::{KeyPair, KeyPairType};
use serde_json::Value;

use super::authority::{self, Error, FLEET_TOKEN, HOSTS_KEY};
use super::{HostPublicKey, claims, jwt};
use crate::ids::HostName;
use crate::signing::SignError;
use crate::timestamp::Timestamp;

/// How long a host is believed without being asked again. It asks every day.
const VALID_DAYS: i64 = 30;
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// The key that makes hosts, and the account they belong to.
pub struct HostAuthority {
    hosts: KeyPair,
    account: String,
}

/// What a host signs in with, beside its own key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    pub jwt: String,
    pub expires_at: Timestamp,
}

impl HostAuthority {
    /// Opens it in the folder of [`super::Credentials`], or in one that holds the files a coordinator needs; none where
    /// there is no such key.
    pub fn open(folder: &Path) -> Result<Option<Self>, Error> {
        let path = folder.join(HOSTS_KEY);
        if authority::read(&path)?.is_none() {
            return Ok(None);
        }
        let hosts = authority::key(&path, KeyPairType::Account)?;
        let path = folder.join(FLEET_TOKEN);
        let account = authority::read(&path)?
            .and_then(|token| jwt::claims(&token).ok())
            .and_then(|claims| claims["sub"].as_str().map(str::to_owned))
            .ok_or(Error::NoAccount { path })?;
        Ok(Some(Self { hosts, account }))
    }

    /// The token of a host's key, from now on.
    pub fn grant(&self, host: &HostName, key: &HostPublicKey) -> Result<Granted, Error> {
        self.grant_for(host, key, VALID_DAYS * DAY_SECONDS)
    }

    /// Signs what only coordinators of this fleet say.
    pub(crate) fn sign(&self, statement: &[u8]) -> Result<String, SignError> {
        self.hosts
            .sign(statement)
            .map(hex::encode)
            .map_err(SignError)
    }

    pub(crate) fn verifies(&self, statement: &[u8], signature: &str) -> bool {
        hex::decode(signature)
            .is_ok_and(|signature| self.hosts.verify(statement, &signature).is_ok())
    }

    /// The same for so many seconds.
    pub fn grant_for(
        &self,
        host: &HostName,
        key: &HostPublicKey,
        seconds: i64,
    ) -> Result<Granted, Error> {
        if host.is_reserved() {
            return Err(Error::NoHost(host.clone()));
        }
        let nats = claims::host(&self.account);
        let mut claims = claims::issue(host.as_str(), &key.to_string(), &self.hosts, &nats);
        let issued_at = claims["iat"].as_i64().unwrap_or_default();
        claims["exp"] = Value::from(issued_at + seconds);
        Ok(Granted {
            jwt: authority::signed(host.as_str(), &claims, &self.hosts)?,
            expires_at: Timestamp::from_milliseconds((issued_at + seconds) * 1000),
        })
    }
}
