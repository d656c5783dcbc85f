//! Signing in with what a file holds at that moment: a token that was renewed serves from the next connection on.

use std::io;
use std::path::{Path, PathBuf};

use async_nats::{Auth, AuthError, ClientError, ConnectErrorKind, ConnectOptions};

use super::error::Error;
use crate::credentials::CredsFile;

/// Reads the file at every connection. One that cannot be read now is an error at once.
pub(super) fn with_file(path: &Path) -> Result<ConnectOptions, Error> {
    let path: PathBuf = path.to_owned();
    read(&path).map_err(|source| Error::Credentials {
        path: path.clone(),
        source,
    })?;
    Ok(ConnectOptions::with_auth_callback(move |nonce| {
        let auth = auth(&path, &nonce);
        std::future::ready(auth)
    }))
}

/// Whether the server ended the connection because the token has ended with which it was made.
pub(super) fn has_expired(error: &str) -> bool {
    error
        .to_ascii_lowercase()
        .contains("authentication expired")
}

/// Whether it ended the connection because the fleet does not want us any more.
pub(super) fn was_revoked(error: &str) -> bool {
    error
        .to_ascii_lowercase()
        .contains("authentication revoked")
}

/// Whether it did not even begin.
pub(super) fn is_refused(error: &ClientError) -> bool {
    // The library hands the kind over as its text.
    let refused = ConnectErrorKind::AuthorizationViolation.to_string();
    matches!(error, ClientError::Other(text) if *text == refused)
}

fn read(path: &Path) -> io::Result<CredsFile> {
    let text = std::fs::read_to_string(path)?;
    CredsFile::parse(&text).map_err(io::Error::other)
}

fn auth(path: &Path, nonce: &[u8]) -> Result<Auth, AuthError> {
    let file = read(path).map_err(AuthError::new)?;
    let mut auth = Auth::new();
    auth.signature = Some(file.key.sign(nonce).map_err(AuthError::new)?);
    auth.jwt = Some(file.jwt);
    Ok(auth)
}
