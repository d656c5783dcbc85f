//! Files that only their owner may read, and that are either whole or not there.
//!
//! Owns how a secret reaches the disk. Knows nothing of what it writes.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// Makes a folder that only its owner may enter; one that is already there is closed to the others.
pub fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o700))
}

/// Writes a file whole, or leaves the old one: a reader, also after a power cut, never sees a half.
pub fn write(path: &Path, content: &str) -> io::Result<()> {
    // A bare name has an empty parent, which cannot be opened.
    let path = std::path::absolute(path)?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::from(io::ErrorKind::InvalidFilename));
    };
    // The process id keeps two writers from sharing one draft.
    let draft = folder.join(format!(
        ".{}.{}",
        name.to_string_lossy(),
        std::process::id()
    ));
    // Left by a writer that died with this very id; its permissions are not to be trusted.
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&draft, &path)?;
    File::open(folder)?.sync_all()
}

/// Reads a file that may not be there yet.
pub fn read(path: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_for_its_owner_alone_even_over_a_file_that_was_not() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("deep/er");
        super::folder(&folder).unwrap();
        let path = folder.join("seed");
        std::fs::write(&path, "open to all").unwrap();
        write(&path, "secret").unwrap();

        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
        assert_eq!(read(&path).unwrap().as_deref(), Some("secret"));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_not_there_is_no_error() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(read(&place.path().join("seed")).unwrap(), None);
    }
}
