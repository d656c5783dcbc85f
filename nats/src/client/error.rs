//! What can go wrong between us and NATS, one variant per operation that failed.
//!
//! The client library prints an error's cause in its text and returns it as a source as well, so chains said
//! everything twice; here the cause is kept as text, once.

use std::path::PathBuf;

use super::publish::PublishError;
use crate::seal::Unsealed;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not read the NATS credentials `{path}`")]
    Credentials {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("could not connect to NATS at {url}: {cause}")]
    Connect { url: String, cause: String },
    #[error("could not set up `{what}` in JetStream: {cause}")]
    Ensure { what: String, cause: String },
    #[error("could not read `{what}` from JetStream: {cause}")]
    Read { what: String, cause: String },
    #[error("could not write `{what}` to JetStream: {cause}")]
    Write { what: String, cause: String },
    /// It is not taken, and will not be when it is sent again.
    #[error("JetStream refuses `{what}`: {cause}")]
    Refused { what: String, cause: String },
    #[error("NATS did not answer about `{what}` in time")]
    TimedOut { what: String },
    #[error("the copy of JetStream that was asked does not have `{what}` yet")]
    Behind { what: String },
    #[error("`{what}` is not one of our commands")]
    Unsealed {
        what: String,
        #[source]
        source: Unsealed,
    },
    #[error("the bytes of `{what}` are not the ones that were stored")]
    Damaged { what: String },
    #[error("`{what}` in JetStream is not what it should be")]
    Malformed {
        what: String,
        #[source]
        source: serde_json::Error,
    },
}

impl Error {
    /// Whether the same may do better in a moment: NATS was away, or not ready.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::Ensure { .. }
            | Self::Read { .. }
            | Self::Write { .. }
            | Self::Behind { .. }
            | Self::TimedOut { .. } => true,
            Self::Credentials { .. }
            | Self::Refused { .. }
            | Self::Unsealed { .. }
            | Self::Damaged { .. }
            | Self::Malformed { .. } => false,
        }
    }

    /// Why `what` was not stored.
    pub(crate) fn write(what: String, refusal: &PublishError) -> Self {
        match refusal {
            PublishError::TimedOut => Self::TimedOut { what },
            passing if passing.is_passing() => Self::Write {
                what,
                cause: passing.to_string(),
            },
            refusal => Self::Refused {
                what,
                cause: refusal.to_string(),
            },
        }
    }

    pub(crate) fn read(what: impl Into<String>, cause: &dyn std::fmt::Display) -> Self {
        Self::Read {
            what: what.into(),
            cause: cause.to_string(),
        }
    }
}
