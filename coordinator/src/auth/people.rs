//! People and tokens: records in two buckets, and a copy of them in memory that follows every change.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use nats::Timestamp;
use nats::client::{Change, Client, Records, WriteError};
use nats::ids::{TokenId, UserId};
use nats::record::{Role, TokenKind, TokenRecord, UserRecord};
use nats::stream::Bucket;
use tokio::sync::watch;

use super::password::Passwords;
use super::{Error, Secret};
use crate::dispatch::Persist;

/// The key on which the first person is created: whoever creates it is the first, however many coordinators ask.
const FIRST: &str = "first";
/// How long a browser stays signed in.
const BROWSER_DAYS: i64 = 30;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub user: UserId,
    pub email: String,
    pub name: String,
    pub role: Role,
}

/// The token by which they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// Its key in the bucket.
    pub key: String,
    pub record: TokenRecord,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct People {
    users: Records<UserRecord>,
    tokens: Records<TokenRecord>,
    passwords: Passwords,
    persist: Persist,
    known: Arc<RwLock<Known>>,
    /// Counts up once each of the two buckets has been read.
    loaded: watch::Sender<u8>,
}

#[derive(Default)]
struct Known {
    users: HashMap<UserId, UserRecord>,
    tokens: HashMap<String, TokenRecord>,
}

impl People {
    pub fn new(client: &Client, persist: Persist) -> Result<Self, Error> {
        Ok(Self {
            users: client.records(Bucket::Users),
            tokens: client.records(Bucket::Tokens),
            passwords: Passwords::new()?,
            persist,
            known: Arc::default(),
            loaded: watch::Sender::new(0),
        })
    }

    /// Follows both buckets for as long as it is polled.
    pub async fn follow(&self) {
        let (mut users, mut tokens) = (self.users.watch(), self.tokens.watch());
        loop {
            tokio::select! {
                Some(change) = users.recv() => self.user_changed(change),
                Some(change) = tokens.recv() => self.token_changed(change),
                else => return,
            }
        }
    }

    /// Waits until everybody is known who was when this coordinator started.
    pub async fn loaded(&self) {
        let mut loaded = self.loaded.subscribe();
        // The sender is our own, so this cannot fail while we wait.
        let _ = loaded.wait_for(|count| *count >= 2).await;
    }

    /// Whether nobody can sign in yet. Asks the bucket itself: another coordinator may have been faster.
    pub async fn setup_needed(&self) -> Result<bool, Error> {
        if !self.read().users.is_empty() {
            return Ok(false);
        }
        self.users
            .get(FIRST)
            .await
            .map(|first| first.is_none())
            .map_err(Error::Read)
    }

    /// Creates the first person; `None` when somebody else was faster.
    pub async fn create_first(
        &self,
        email: &str,
        name: &str,
        password: String,
    ) -> Result<Option<Person>, Error> {
        let record = UserRecord {
            user: UserId::new(),
            email: normal(email),
            name: name.trim().to_owned(),
            role: Role::Admin,
            password_hash: self.passwords.hash(password).await?,
            created_at: Timestamp::now(),
        };
        let created = self
            .persist
            .until_stored(None, 0, || self.users.create(FIRST, &record))
            .await?;
        match created {
            Ok(_) => {}
            Err(WriteError::Conflict) => {
                let first = self.persist.until_stored(None, 0, || self.users.get(FIRST));
                let first = first.await?.map_err(Error::Read)?;
                // Ours may be there already, with an answer that was lost.
                if first.is_none_or(|entry| entry.value != record) {
                    return Ok(None);
                }
            }
            Err(error) => return Err(Error::Write(error)),
        }
        let person = person(&record);
        self.write().users.insert(record.user, record);
        Ok(Some(person))
    }

    /// The person with this e-mail and password.
    pub async fn login(&self, email: &str, password: String) -> Result<Option<Person>, Error> {
        let email = normal(email);
        let known = self
            .read()
            .users
            .values()
            .find(|user| user.email == email)
            .cloned();
        let found = match known {
            Some(known) => Some(known),
            // They may be a moment old and made by another coordinator.
            None => self
                .users
                .get(FIRST)
                .await
                .map_err(Error::Read)?
                .map(|entry| entry.value)
                .filter(|user| user.email == email),
        };
        let hash = found.as_ref().map(|user| user.password_hash.clone());
        let right = self.passwords.verify(password, hash).await?;
        Ok(found.filter(|_| right).as_ref().map(person))
    }

    /// A new way in for this person.
    pub async fn issue(
        &self,
        user: UserId,
        name: &str,
        kind: TokenKind,
    ) -> Result<(Secret, TokenRecord), Error> {
        let now = Timestamp::now();
        let record = TokenRecord {
            token: TokenId::new(),
            user,
            name: name.to_owned(),
            kind,
            created_at: now,
            expires_at: match kind {
                TokenKind::Browser => Some(Timestamp::from_milliseconds(
                    now.milliseconds() + BROWSER_DAYS * DAY_MS,
                )),
                TokenKind::Api => None,
            },
        };
        let secret = Secret::new();
        let key = secret.key();
        let created = self
            .persist
            .until_stored(None, 0, || self.tokens.create(&key, &record))
            .await?;
        match created {
            // A secret is nobody else's: what is there is ours, with an answer that was lost.
            Ok(_) | Err(WriteError::Conflict) => {}
            Err(error) => return Err(Error::Write(error)),
        }
        self.write().tokens.insert(key, record.clone());
        Ok((secret, record))
    }

    /// Who this secret lets in, if anybody.
    pub async fn identify(&self, secret: &Secret) -> Result<Option<(Person, Token)>, Error> {
        let key = secret.key();
        let known = self.read().tokens.get(&key).cloned();
        let record = match known {
            Some(record) => record,
            // It may be a moment old and made by another coordinator.
            None => match self.tokens.get(&key).await.map_err(Error::Read)? {
                Some(entry) => entry.value,
                None => return Ok(None),
            },
        };
        if record.expires_at.is_some_and(|end| end < Timestamp::now()) {
            return Ok(None);
        }
        let person = self.person(record.user).await?;
        Ok(person.map(|person| (person, Token { key, record })))
    }

    /// Whether a token that let somebody in still would. When NATS cannot say, it does: what is signed in stays so.
    pub async fn still_valid(&self, token: &Token) -> bool {
        if token
            .record
            .expires_at
            .is_some_and(|end| end < Timestamp::now())
        {
            return false;
        }
        if self.read().tokens.contains_key(&token.key) {
            return true;
        }
        self.tokens
            .get(&token.key)
            .await
            .map_or(true, |entry| entry.is_some())
    }

    /// Takes a way in back, here at once and everywhere in a moment.
    pub async fn revoke(&self, key: &str) -> Result<(), Error> {
        self.persist
            .until_stored(None, 0, || self.tokens.delete(key))
            .await?
            .map_err(Error::Write)?;
        self.write().tokens.remove(key);
        Ok(())
    }

    /// This person's API tokens, oldest first.
    #[must_use]
    pub fn api_tokens(&self, user: UserId) -> Vec<(String, TokenRecord)> {
        let mut tokens: Vec<(String, TokenRecord)> = self
            .read()
            .tokens
            .iter()
            .filter(|(_, token)| token.user == user && token.kind == TokenKind::Api)
            .map(|(key, token)| (key.clone(), token.clone()))
            .collect();
        tokens.sort_by_key(|(_, token)| token.token);
        tokens
    }

    /// What people call them.
    #[must_use]
    pub fn name(&self, user: UserId) -> Option<String> {
        self.read()
            .users
            .get(&user)
            .map(|record| record.name.clone())
    }

    async fn person(&self, user: UserId) -> Result<Option<Person>, Error> {
        let known = self.read().users.get(&user).map(person);
        if known.is_some() {
            return Ok(known);
        }
        let first = self.users.get(FIRST).await.map_err(Error::Read)?;
        Ok(first
            .filter(|entry| entry.value.user == user)
            .map(|entry| person(&entry.value)))
    }

    fn user_changed(&self, change: Change<UserRecord>) {
        match change {
            Change::Put { value, .. } => {
                self.write().users.insert(value.user, value);
            }
            // Nobody is deleted yet.
            Change::Gone { key, .. } => tracing::warn!(key, "a person's record was deleted"),
            Change::UpToDate => self.loaded.send_modify(|count| *count += 1),
        }
    }

    fn token_changed(&self, change: Change<TokenRecord>) {
        match change {
            Change::Put { key, value, .. } => {
                self.write().tokens.insert(key, value);
            }
            Change::Gone { key, .. } => {
                self.write().tokens.remove(&key);
            }
            Change::UpToDate => self.loaded.send_modify(|count| *count += 1),
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn person(record: &UserRecord) -> Person {
    Person {
        user: record.user,
        email: record.email.clone(),
        name: record.name.clone(),
        role: record.role,
    }
}

/// The same mailbox in the same spelling.
fn normal(email: &str) -> String {
    email.trim().to_lowercase()
}
