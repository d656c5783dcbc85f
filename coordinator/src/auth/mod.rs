//! Who is asking, and whether they may.
//!
//! Owns passwords, tokens, the first person, and the rule about where a request comes from. People and tokens are
//! records in NATS, so any coordinator knows them; only the count of failed logins is this process's own.
//! Deliberately knows nothing of sessions and gates.

mod password;
mod secret;

mod limiter;
mod origin;

mod people;
mod setup;

pub use limiter::Limiter;
pub use origin::{Refused as OriginRefused, check as check_origin};
pub use people::{People, Person, Token};
pub use secret::Secret;
pub use setup::SetupToken;

use nats::client;

use crate::dispatch::PersistError;

/// What went wrong with people and tokens.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not read who may sign in")]
    Read(#[source] client::Error),
    #[error("could not store who may sign in")]
    Write(#[source] client::WriteError),
    #[error(transparent)]
    Persist(#[from] PersistError),
    #[error("could not hash a password: {0}")]
    Hash(String),
    #[error("the thread that hashes passwords is gone")]
    Thread(#[source] tokio::task::JoinError),
}
