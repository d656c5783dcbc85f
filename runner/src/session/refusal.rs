//! The word of this host that a session will not begin here: a file in its folder, there before anybody is told.
//!
//! Another host gets the session once this is heard. A start that comes late, or is sent again by somebody who has not
//! heard it, must not begin it here as well: one session, one owner. So a refusal holds for its epoch and all before.

use std::fs::{self, File};
use std::io::{self, Write as _};

use super::paths::SessionPaths;
use crate::durable;

/// Whether a start of this epoch was refused here. A word that cannot be read may be of any epoch, and holds.
#[must_use]
pub fn is_refused(paths: &SessionPaths, epoch: u64) -> bool {
    match fs::read_to_string(paths.refused()) {
        Ok(text) => text
            .trim()
            .parse::<u64>()
            .map_or(true, |refused| epoch <= refused),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Refuses for good; forced out to the disk when this returns.
pub fn refuse(paths: &SessionPaths, epoch: u64) -> io::Result<()> {
    let written = paths.folder().join("refused.new");
    let mut file = File::create(&written)?;
    writeln!(file, "{epoch}")?;
    file.sync_all()?;
    fs::rename(&written, paths.refused())?;
    durable::sync_folder(paths.folder())
}

#[cfg(test)]
mod tests {
    use nats::ids::SessionId;

    use super::*;

    #[test]
    fn a_refusal_holds_for_its_epoch_and_those_before_and_for_no_later_one() {
        let folder = tempfile::tempdir().unwrap();
        let paths = SessionPaths::new(folder.path(), SessionId::new());
        fs::create_dir(paths.folder()).unwrap();
        assert!(!is_refused(&paths, 1));
        refuse(&paths, 2).unwrap();
        assert!(is_refused(&paths, 1) && is_refused(&paths, 2));
        assert!(!is_refused(&paths, 3));
    }

    #[test]
    fn a_refusal_that_cannot_be_read_holds() {
        let folder = tempfile::tempdir().unwrap();
        let paths = SessionPaths::new(folder.path(), SessionId::new());
        fs::create_dir(paths.folder()).unwrap();
        fs::write(paths.refused(), b"\xff").unwrap();
        assert!(is_refused(&paths, 9));
    }
}
