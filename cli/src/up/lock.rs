//! One `flotilla up` on one data folder.
//!
//! The kernel gives the lock back when the process ends, however that ends.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::Pid;

use crate::data::DataFolder;
use crate::failure::{Failure, Kind};

/// Held for as long as this value lives.
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the folder, or says who has it.
    pub fn take(data: &DataFolder) -> Result<Self, Failure> {
        let mut file = open(&data.lock())?;
        if !lock(&file, data)? {
            let holder = holder_of(&mut file).map_or_else(String::new, |pid| {
                format!(" (process {})", pid.as_raw_pid())
            });
            return Err(Failure::new(
                Kind::Taken,
                format!(
                    "another `flotilla up` runs on `{}` already{holder}",
                    data.path().display()
                ),
            )
            .hint("stop it with `flotilla down`, or give this one a folder of its own with --data DIR"));
        }
        write_holder(&mut file).map_err(|error| {
            Failure::because(
                format!("could not write `{}`", data.lock().display()),
                &error,
            )
        })?;
        Ok(Self { _file: file })
    }

    /// The process that holds the folder now, if one does.
    pub fn holder(data: &DataFolder) -> Result<Option<Pid>, Failure> {
        if !data.lock().exists() {
            return Ok(None);
        }
        let mut file = open(&data.lock())?;
        if lock(&file, data)? {
            return Ok(None);
        }
        Ok(holder_of(&mut file))
    }
}

fn open(path: &Path) -> Result<File, Failure> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|error| Failure::because(format!("could not open `{}`", path.display()), &error))
}

/// Whether nobody else had it.
fn lock(file: &File, data: &DataFolder) -> Result<bool, Failure> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(Failure::because(
            format!("could not lock `{}`", data.path().display()),
            &error,
        )),
    }
}

fn holder_of(file: &mut File) -> Option<Pid> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    Pid::from_raw(text.trim().parse().ok()?)
}

fn write_holder(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_to_come_is_told_who_was_first() {
        let place = tempfile::tempdir().unwrap();
        let data = DataFolder::find(Some(place.path())).unwrap();
        assert_eq!(Lock::holder(&data).unwrap(), None);
        let lock = Lock::take(&data).unwrap();
        let refused = format!("{:?}", Lock::take(&data).map(|_| ()).unwrap_err());
        let own_id = std::process::id().to_string();
        assert!(refused.contains(&own_id), "{refused}");
        assert!(Lock::holder(&data).unwrap().is_some());
        drop(lock);
        assert_eq!(Lock::holder(&data).unwrap(), None);
    }
}
