//! The token of the setup link: whoever started the fleet has it, and it serves for the first person only.

use std::fs;
use std::path::{Path, PathBuf};

use super::Secret;

/// The file of the token, read when it is asked for: a fleet that is set up needs none.
#[derive(Debug, Clone)]
pub struct SetupToken {
    path: Option<PathBuf>,
}

impl SetupToken {
    #[must_use]
    pub const fn new(path: Option<PathBuf>) -> Self {
        Self { path }
    }

    /// Whether this is the token. Without a file, or with an empty one, nothing is.
    #[must_use]
    pub fn is(&self, offered: &str) -> bool {
        self.path
            .as_deref()
            .and_then(read)
            .is_some_and(|token| token.is(offered))
    }
}

fn read(path: &Path) -> Option<Secret> {
    match fs::read_to_string(path) {
        Ok(text) => Some(text.trim())
            .filter(|token| !token.is_empty())
            .map(Secret::from_text),
        Err(error) => {
            tracing::warn!(%error, path = %path.display(), "the setup token cannot be read");
            None
        }
    }
}
