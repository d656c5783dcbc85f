//! What NATS holds, laid out for questions: one SQLite file that may be deleted at any time.
//!
//! Owns the schema, the one writer and the pool of readers. Every row comes from a stream or a bucket, and the
//! position in the streams is written in the same transaction, so the file is always true of some moment.
//! Deliberately knows neither NATS nor HTTP.

mod schema;

mod facts;
mod gate;

mod apply;
mod writer;

mod reader;
mod stored;

pub mod query;

pub use apply::{Applied, Arrival, Dropped, Input, one_line};
pub use reader::Reader;
pub use stored::{StoredGate, StoredSession};
pub use writer::{Position, Positions, Writer};

use std::path::PathBuf;

/// What went wrong with the file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not open the projection `{path}`")]
    Open {
        path: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    #[error("could not replace the projection `{path}` by an empty one")]
    Replace {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("could not write to the projection")]
    Write(#[source] rusqlite::Error),
    #[error("could not read from the projection")]
    Read(#[source] rusqlite::Error),
    #[error("a row of the projection is not what it should be")]
    Row(#[source] serde_json::Error),
    #[error("the projection's thread is gone")]
    Thread(#[source] tokio::task::JoinError),
}

impl Error {
    /// The file itself is broken, and will be the next time as well.
    fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            Self::Write(source) | Self::Read(source) | Self::Open { source, .. } => source
                .sqlite_error_code()
                .is_some_and(|code| matches!(code, DatabaseCorrupt | NotADatabase)),
            Self::Replace { .. } | Self::Row(_) | Self::Thread(_) => false,
        }
    }
}
