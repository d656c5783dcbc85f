//! Where tokens are made and honoured.

use std::collections::BTreeMap;

use nats::Timestamp;
use nats::client::{self, Client, Entry, Records, WriteError};
use nats::credentials::{self, Granted, HostAuthority, HostPublicKey};
use nats::enrolment::{EnrolmentRecord, EnrolmentToken, IdentityRecord, Redeemed};
use nats::ids::HostName;
use nats::record::HostRecord;
use nats::renewal;
use nats::revocation::Revocation;
use nats::seal::CommandPublicKey;
use nats::signing::SignError;
use nats::stream::Bucket;

use super::Revocations;
use super::judge::{Refused, Step, judge, own};
use crate::dispatch::{Actor, Persist, PersistError};

/// Long enough to find a terminal on the other machine.
const TOKEN_LIFE_MS: i64 = 60 * 60 * 1000;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("this coordinator has no key to let hosts in with")]
    NoAuthority,
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Persist(#[from] PersistError),
    #[error("could not read who may join")]
    Read(#[source] client::Error),
    #[error("could not store who may join")]
    Write(#[source] WriteError),
    #[error("could not sign the token of a host")]
    Sign(#[source] credentials::Error),
    #[error("could not tell the NATS servers")]
    Tell(#[source] client::Error),
    #[error("could not make a nonce")]
    Nonce(#[source] SignError),
    #[error("the nonce is not of this fleet, or older than a minute")]
    StaleNonce,
    #[error("the signature is not that of {host}")]
    NotProved { host: HostName },
}

/// A machine that is a host now.
#[derive(Debug, Clone)]
pub struct Admitted {
    pub enrolment: EnrolmentRecord,
    pub granted: Granted,
    /// False when it came again for an answer that was lost.
    pub first_time: bool,
}

/// Shared by all who ask.
pub struct Office {
    /// None where this coordinator was not given the key.
    authority: Option<HostAuthority>,
    command_keys: Vec<CommandPublicKey>,
    enrolments: Records<EnrolmentRecord>,
    identities: Records<IdentityRecord>,
    hosts: Records<HostRecord>,
    revocations: Revocations,
    persist: Persist,
}

impl Office {
    #[must_use]
    pub fn new(
        client: &Client,
        authority: Option<HostAuthority>,
        command_keys: Vec<CommandPublicKey>,
        revocations: Revocations,
        persist: Persist,
    ) -> Self {
        Self {
            authority,
            command_keys,
            enrolments: client.records(Bucket::Enrolments),
            identities: client.records(Bucket::Identities),
            hosts: client.records(Bucket::Hosts),
            revocations,
            persist,
        }
    }

    /// Makes a token for one name that no host has.
    pub async fn invite(
        &self,
        host: HostName,
        labels: BTreeMap<String, String>,
        by: &Actor,
    ) -> Result<(EnrolmentToken, EnrolmentRecord), Error> {
        self.authority()?;
        if let Some(identity) = self.identity(&host).await? {
            return Err(Refused::Taken {
                host,
                at: identity.value.enrolled_at,
            }
            .into());
        }
        let now = Timestamp::now();
        let token = EnrolmentToken::new(host, &self.command_keys);
        let record = EnrolmentRecord {
            host: token.host.clone(),
            labels,
            created_at: now,
            created_by: by.user,
            created_by_name: by.name.clone(),
            expires_at: Timestamp::from_milliseconds(now.milliseconds() + TOKEN_LIFE_MS),
            command_keys: self.command_keys.clone(),
            redeemed: None,
        };
        let key = token.key();
        let created = self
            .persist
            .until_stored(None, 0, || self.enrolments.create(&key, &record))
            .await?;
        match created {
            // A secret is nobody else's: what is there is ours, with an answer that was lost.
            Ok(_) | Err(WriteError::Conflict) => Ok((token, record)),
            Err(error) => Err(Error::Write(error)),
        }
    }

    /// Lets the machine with this key in, if the token says so; once, whichever coordinator it asks.
    pub async fn admit(
        &self,
        token: &EnrolmentToken,
        key: &HostPublicKey,
    ) -> Result<Admitted, Error> {
        let authority = self.authority()?;
        loop {
            let found = self.enrolment(token).await?;
            let kept = found.as_ref().map(|entry| &entry.value);
            let step = judge(token, kept, key, Timestamp::now())?;
            self.is_not_revoked(key).await?;
            let Some(found) = found else {
                return Err(Refused::Unknown.into());
            };
            if step == Step::Redeem {
                // Before the token: whoever is refused the name may try another with it.
                self.name_is_free(&found.value.host, key).await?;
                if !self.redeem(token, &found, key).await? {
                    // Somebody was faster; what they did decides.
                    continue;
                }
            }
            self.identify(&found.value, key).await?;
            return Ok(Admitted {
                granted: authority
                    .grant(&found.value.host, key)
                    .map_err(Error::Sign)?,
                enrolment: found.value,
                first_time: step == Step::Redeem,
            });
        }
    }

    /// A new token for the key that a host has on record.
    pub async fn renew(&self, host: &HostName) -> Result<Granted, Error> {
        let authority = self.authority()?;
        let identity = self.identity(host).await?;
        let identity = identity.ok_or_else(|| Refused::NotEnrolled { host: host.clone() })?;
        self.is_not_revoked(&identity.value.public_key).await?;
        authority
            .grant(host, &identity.value.public_key)
            .map_err(Error::Sign)
    }

    /// What a host is to sign that NATS does not let in any more.
    pub fn nonce(&self) -> Result<String, Error> {
        renewal::nonce(self.authority()?, Timestamp::now()).map_err(Error::Nonce)
    }

    /// The same as [`Self::renew`], for who proves to be the host.
    pub async fn renew_by_proof(
        &self,
        host: &HostName,
        nonce: &str,
        signature: &str,
    ) -> Result<Granted, Error> {
        if !renewal::is_fresh(self.authority()?, nonce, Timestamp::now()) {
            return Err(Error::StaleNonce);
        }
        let key = self.identity(host).await?.map(|it| it.value.public_key);
        // A host that is not there, and one that cannot prove itself, hear the same.
        if !key.is_some_and(|key| renewal::is_proved(&key, host, nonce, signature)) {
            return Err(Error::NotProved { host: host.clone() });
        }
        self.renew(host).await
    }

    /// Takes a host out: recorded for good, and told to the servers, which cut it off. False when they could not be told
    /// now; they are as soon as they can.
    pub async fn revoke(&self, host: &HostName, by: &Actor) -> Result<(Revocation, bool), Error> {
        let identity = self.identity(host).await?;
        let identity = identity.ok_or_else(|| Refused::NotEnrolled { host: host.clone() })?;
        let revocation = Revocation {
            host: host.clone(),
            at: Timestamp::now(),
            by: by.user,
            by_name: by.name.clone(),
        };
        let recorded = self
            .revocations
            .revoke(&identity.value.public_key, &revocation)
            .await?;
        let told = self.revocations.tell().await.unwrap_or_else(|error| {
            tracing::warn!(error = %crate::chain(&error), %host, "the NATS servers could not be told at once");
            false
        });
        Ok((recorded, told))
    }

    /// Takes a revoked host out of the lists; its name is free then.
    pub async fn remove(&self, host: &HostName) -> Result<(), Error> {
        let identity = self.identity(host).await?;
        let identity = identity.ok_or_else(|| Refused::NotEnrolled { host: host.clone() })?;
        let key = identity.value.public_key;
        if self.revocations.of(&key).await?.is_none() {
            return Err(Refused::NotRevoked { host: host.clone() }.into());
        }
        let name = host.as_str();
        self.persist
            .until_stored(None, 0, || self.hosts.delete(name))
            .await?
            .map_err(Error::Write)?;
        // Last, so that who is interrupted can do it again.
        self.persist
            .until_stored(None, 0, || self.identities.delete(name))
            .await?
            .map_err(Error::Write)
    }

    async fn is_not_revoked(&self, key: &HostPublicKey) -> Result<(), Error> {
        match self.revocations.of(key).await? {
            None => Ok(()),
            Some(revocation) => Err(Refused::Revoked {
                host: revocation.host,
                by_name: revocation.by_name,
                at: revocation.at,
            }
            .into()),
        }
    }

    fn authority(&self) -> Result<&HostAuthority, Error> {
        self.authority.as_ref().ok_or(Error::NoAuthority)
    }

    async fn redeem(
        &self,
        token: &EnrolmentToken,
        found: &Entry<EnrolmentRecord>,
        key: &HostPublicKey,
    ) -> Result<bool, Error> {
        let used = EnrolmentRecord {
            redeemed: Some(Redeemed {
                public_key: key.clone(),
                at: Timestamp::now(),
            }),
            ..found.value.clone()
        };
        let record_key = token.key();
        let written = self
            .persist
            .until_stored(None, 0, || {
                self.enrolments.update(&record_key, &used, found.revision)
            })
            .await?;
        match written {
            Ok(_) => Ok(true),
            Err(WriteError::Conflict) => Ok(false),
            Err(error) => Err(Error::Write(error)),
        }
    }

    async fn name_is_free(&self, host: &HostName, key: &HostPublicKey) -> Result<(), Error> {
        match self.identity(host).await? {
            Some(identity) => Ok(own(&identity.value, key)?),
            None => Ok(()),
        }
    }

    /// Notes whose key the host has; two tokens for one name let one machine in.
    async fn identify(&self, from: &EnrolmentRecord, key: &HostPublicKey) -> Result<(), Error> {
        let record = IdentityRecord {
            host: from.host.clone(),
            public_key: key.clone(),
            enrolled_at: Timestamp::now(),
            enrolled_by: from.created_by,
            enrolled_by_name: from.created_by_name.clone(),
        };
        let name = from.host.as_str();
        let created = self
            .persist
            .until_stored(None, 0, || self.identities.create(name, &record))
            .await?;
        match created {
            Ok(_) => Ok(()),
            Err(WriteError::Conflict) => {
                let there = self
                    .persist
                    .until_stored(None, 0, || self.identities.get_existing(name))
                    .await?
                    .map_err(Error::Read)?;
                Ok(own(&there.value, key)?)
            }
            Err(error) => Err(Error::Write(error)),
        }
    }

    async fn identity(&self, host: &HostName) -> Result<Option<Entry<IdentityRecord>>, Error> {
        self.persist
            .until_stored(None, 0, || self.identities.get(host.as_str()))
            .await?
            .map_err(Error::Read)
    }

    async fn enrolment(
        &self,
        token: &EnrolmentToken,
    ) -> Result<Option<Entry<EnrolmentRecord>>, Error> {
        let key = token.key();
        self.persist
            .until_stored(None, 0, || self.enrolments.get(&key))
            .await?
            .map_err(Error::Read)
    }
}
