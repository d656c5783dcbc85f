//! A repository of ours after a power cut: files that were being written are there and empty, and libgit2 takes an empty
//! file for an object, a pack or a ref that it has. What is empty was never whole, so nothing is lost with it.
//! Owns what is taken away; whatever has content stays, and a session's branches with it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Without either a folder is no repository, and making it one writes both.
const HEART: [&str; 2] = ["HEAD", "config"];

/// Where a file without content means nothing.
const NEVER_EMPTY: [&str; 2] = ["objects", "refs"];

/// Takes away what is empty, so that it is written again. A repository that is not there is left so.
pub(super) fn mend(repository: &Path) -> io::Result<()> {
    for folder in NEVER_EMPTY {
        take_empty_files_away(&repository.join(folder))?;
    }
    let heart = HEART.map(|name| repository.join(name));
    let is_whole = |file: &PathBuf| fs::metadata(file).is_ok_and(|it| it.len() > 0);
    if heart.iter().all(is_whole) {
        return Ok(());
    }
    for file in heart {
        remove(&file)?;
    }
    Ok(())
}

fn take_empty_files_away(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() {
            take_empty_files_away(&path)?;
        } else if kind.is_file() && entry.metadata()?.len() == 0 {
            tracing::warn!(path = %path.display(), "a file that a power cut left empty is taken away");
            remove(&path)?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::repository;
    use super::*;

    #[test]
    fn what_is_empty_goes_and_what_has_content_stays() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("shop.git");
        let made = repository::init(&path, true, None).unwrap();
        let kept = made.blob(b"kept").unwrap();
        let empty = path.join("objects/ab/cdef");
        fs::create_dir_all(empty.parent().unwrap()).unwrap();
        for file in [&path.join("HEAD"), &empty] {
            fs::write(file, "").unwrap();
        }
        let has_head = || {
            repository::open(&path)
                .and_then(|it| it.find_reference("HEAD").map(|_| ()))
                .is_ok()
        };
        assert!(!has_head(), "it is damaged");

        mend(&path).unwrap();
        repository::init(&path, true, None).unwrap();
        assert!(!empty.exists() && has_head());
        let mended = repository::open(&path).unwrap();
        assert_eq!(mended.find_blob(kept).unwrap().content(), b"kept");
    }
}
