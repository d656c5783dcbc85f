//! What really ran: a file outside Flotilla, to which every command appends its token.

use std::path::{Path, PathBuf};

/// Two files in a folder: tokens of commands that ran to their end, and marks of those that have begun.
pub(super) struct Ledger {
    folder: PathBuf,
}

impl Ledger {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// A step that appends `token`.
    pub(super) fn step(&self, token: &str) -> String {
        format!("run echo {token} >> {}", self.tokens().display())
    }

    /// A step that leaves its mark, waits to be let go, and then appends `token`.
    pub(super) fn held_step(&self, token: &str) -> String {
        format!(
            "run echo {token} >> {}; until [ -e {} ]; do sleep 0.1; done; echo {token} >> {}",
            self.marks().display(),
            self.go().display(),
            self.tokens().display()
        )
    }

    /// Lets go whatever is held, once the fault has struck.
    pub(super) fn let_go(&self) {
        std::fs::write(self.go(), "").expect("the ledger's folder can be written");
    }

    /// How often the command of `token` ran.
    pub(super) fn count(&self, token: &str) -> usize {
        lines(&self.tokens(), token)
    }

    /// How often it began.
    pub(super) fn begun(&self, token: &str) -> usize {
        lines(&self.marks(), token)
    }

    fn tokens(&self) -> PathBuf {
        self.folder.join("ledger")
    }

    fn go(&self) -> PathBuf {
        self.folder.join("go")
    }

    fn marks(&self) -> PathBuf {
        self.folder.join("marks")
    }
}

fn lines(file: &Path, token: &str) -> usize {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().filter(|line| *line == token).count()
}
