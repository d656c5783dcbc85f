//! What can go wrong with a session's log, in a sentence each.

use std::path::PathBuf;

use super::schema::VERSION;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not open the session's database `{path}`")]
    Open {
        path: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    #[error(
        "`{path}` was written by another version of the runner (schema {found}, this one knows {VERSION})"
    )]
    Version { path: PathBuf, found: i64 },
    #[error("could not write the session's log")]
    Append(#[source] rusqlite::Error),
    #[error("could not read the session's log")]
    Read(#[source] rusqlite::Error),
    #[error("what the session's log says of `{what}` cannot be understood")]
    Malformed {
        what: &'static str,
        #[source]
        source: serde_json::Error,
    },
    #[error("the session's log says nothing of `{0}`")]
    Missing(&'static str),
    #[error("event {wanted} is no longer kept on this host, which has those from {oldest} on")]
    RowsGone { wanted: u64, oldest: u64 },
}
