//! A small file system of its own for the sessions of a host, which can be filled.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A tmpfs over a folder. Dropped, it is gone.
pub(super) struct Disk {
    folder: PathBuf,
}

/// The runner holds back new turns below its reserve of 256 MB, so there must be more than that before the fault.
const SIZE: &str = "size=400m";

impl Disk {
    /// Mounts over `folder`, which must be empty.
    pub(super) fn over(folder: &Path) -> Self {
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "flotilla-chaos"])
            .arg(folder)
            .status();
        assert!(
            status.as_ref().is_ok_and(std::process::ExitStatus::success),
            "could not mount a tmpfs on {}: {status:?}",
            folder.display()
        );
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Writes until there is no room for one more byte.
    pub(super) fn fill(&self) {
        let mut file = std::fs::File::create(self.filler()).expect("a file");
        let block = vec![0_u8; 1024 * 1024];
        while file.write_all(&block).is_ok() {}
        while file.write_all(&[0]).is_ok() {}
    }

    /// Gives the room back.
    pub(super) fn free(&self) {
        std::fs::remove_file(self.filler()).ok();
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process that is just ending may still hold a file.
        Command::new("umount")
            .arg("-l")
            .arg(&self.folder)
            .status()
            .ok();
    }
}
