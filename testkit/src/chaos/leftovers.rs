//! The folder that all fleets of a run live in, so that a later run finds and ends what one that was killed has left:
//! agents that outlive their runner, mounts, files. Knows nothing of what they were for.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::{FlockOperation, flock};
use rustix::process::Signal;

use crate::processes;

const PREFIX: &str = "flotilla-chaos-";

/// A folder for the temporary files of this process, held for as long as it lives.
pub struct Premises {
    folder: PathBuf,
    _lock: File,
}

impl Premises {
    /// Makes one, and every temporary file of this process lies in it from now on. Cleans up what the dead have left.
    pub fn take() -> io::Result<Self> {
        let parent = std::env::temp_dir();
        for entry in std::fs::read_dir(&parent)?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(PREFIX) {
                clean_if_dead(&entry.path());
            }
        }
        let folder = parent.join(format!("{PREFIX}{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let lock = File::create(folder.join("lock"))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        tempfile::env::override_temp_dir(&folder)
            .map_err(|other| io::Error::other(format!("temporary files go to {other:?}")))?;
        Ok(Self {
            folder,
            _lock: lock,
        })
    }
}

impl Drop for Premises {
    fn drop(&mut self) {
        clean(&self.folder);
    }
}

/// Whoever holds the lock is alive; where there is none yet, somebody is only starting.
fn clean_if_dead(folder: &Path) {
    let Ok(lock) = File::open(folder.join("lock")) else {
        return;
    };
    if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
        clean(folder);
    }
}

fn clean(folder: &Path) {
    let text = folder.to_string_lossy();
    // Twice: the first time, somebody may just be starting another.
    for _ in 0..2 {
        for pid in processes::speaking_of(&text) {
            if u32::try_from(pid) != Ok(std::process::id()) {
                processes::signal(pid, Signal::KILL);
            }
        }
    }
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mut mounts: Vec<String> = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .map(unescaped)
        .filter(|point| Path::new(point).starts_with(folder))
        .collect();
    // What is mounted within another mount goes first.
    mounts.reverse();
    for point in mounts {
        let mut umount = Command::new("umount");
        umount.arg("-l").arg(&point).stderr(Stdio::null());
        umount.status().ok();
    }
    std::fs::remove_dir_all(folder).ok();
}

/// As `/proc/mounts` writes it: blanks and the like as three octal digits.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let octal = tail.get(..3).and_then(|it| std::str::from_utf8(it).ok());
        let octal = octal.and_then(|it| u8::from_str_radix(it, 8).ok());
        match octal.filter(|_| *first == b'\\') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_mount_is_read_as_it_was_written() {
        assert_eq!(unescaped(r"/tmp/a\040fleet\040ü"), "/tmp/a fleet ü");
        assert_eq!(unescaped(r"/tmp/a\b"), r"/tmp/a\b");
    }
}
