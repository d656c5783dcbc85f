//! The agent's own record of a conversation: where it lies, how it is opened, and its lines from the last to the first.
//!
//! The file is the agent's, and the agent is not trusted: it may be huge, end in half a line, or be something else
//! than a file. Only its end is read, in bounded memory. Deliberately knows nothing of what follows from a line.

mod line;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nats::ids::SessionId;
use rustix::fs::OFlags;

use crate::durable;

pub(super) use line::Line;

/// How much of the end is read at most. A line is as long as what it tells: a file, a picture, a tool's whole output.
pub(super) const TAIL_BYTES_MAX: u64 = 64 << 20;

/// So few lines are written between a call and the question whether it may be made.
const LINES_SINCE_CALL_MAX: usize = 16;

/// Read at once. What is asked of a transcript mostly stands in its last few lines.
const CHUNK_BYTES: u64 = 64 << 10;

/// The newest transcript of the session, in whichever folder it lies.
pub(super) fn find(configuration_folder: &Path, session: SessionId) -> Option<PathBuf> {
    let name = format!("{}.jsonl", session.uuid());
    fs::read_dir(configuration_folder.join("projects"))
        .ok()?
        .filter_map(Result::ok)
        .map(|folder| folder.path().join(&name))
        .filter_map(|path| {
            Some((
                path.metadata()
                    .ok()
                    .filter(fs::Metadata::is_file)?
                    .modified()
                    .ok()?,
                path,
            ))
        })
        .max()
        .map(|(_, path)| path)
}

/// Opens a transcript to read it.
pub(super) fn open(path: &Path) -> io::Result<File> {
    open_with(OpenOptions::new().read(true), path)
}

/// Opens a transcript to read it and to write at its end.
pub(super) fn open_to_append(path: &Path) -> io::Result<File> {
    open_with(OpenOptions::new().read(true).append(true), path)
}

/// Forces the transcript out to the disk, with its name, once it tells of this call. False while it does not: the agent
/// writes a call down a moment after it has asked.
pub(super) fn force_out(path: &Path, tool_use: &str) -> io::Result<bool> {
    let file = open(path)?;
    let finder = |line: &Vec<u8>| {
        line.windows(tool_use.len())
            .any(|it| it == tool_use.as_bytes())
    };
    let lines: io::Result<Vec<Vec<u8>>> = backwards(&file)?.take(LINES_SINCE_CALL_MAX).collect();
    if tool_use.is_empty() || !lines?.iter().any(finder) {
        return Ok(false);
    }
    file.sync_all()?;
    // Its own folder, and the one that has a folder for each worktree.
    for folder in path.ancestors().skip(1).take(2) {
        durable::sync_folder(folder)?;
    }
    Ok(true)
}

/// The lines of `file` from the last to the first, without their newlines; ends with an error at [`TAIL_BYTES_MAX`].
pub(super) fn backwards(file: &File) -> io::Result<Backwards<'_>> {
    let bytes = file.metadata()?.len();
    Ok(Backwards {
        file,
        start: bytes,
        floor: bytes.saturating_sub(TAIL_BYTES_MAX),
        rest: Vec::new(),
        searched: 0,
    })
}

/// Whether the last line has no newline: whoever wrote it was killed meanwhile.
pub(super) fn is_torn(file: &File) -> io::Result<bool> {
    let bytes = file.metadata()?.len();
    let mut last = [b'\n'];
    if bytes > 0 {
        file.read_exact_at(&mut last, bytes - 1)?;
    }
    Ok(last != [b'\n'])
}

pub(super) struct Backwards<'a> {
    file: &'a File,
    /// Where the part that was read begins.
    start: u64,
    /// How far down reading may go.
    floor: u64,
    /// What was read and not yet given out.
    rest: Vec<u8>,
    /// So many bytes at the end of the rest are known to hold no newline.
    searched: usize,
}

impl Iterator for Backwards<'_> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let unsearched = self.rest.len() - self.searched;
            let newline = self.rest[..unsearched]
                .iter()
                .rposition(|byte| *byte == b'\n');
            if let Some(newline) = newline {
                let line = self.rest.split_off(newline + 1);
                self.rest.truncate(newline);
                self.searched = 0;
                return Some(Ok(line));
            }
            self.searched = self.rest.len();
            if self.start == 0 {
                self.searched = 0;
                let first = std::mem::take(&mut self.rest);
                return (!first.is_empty()).then_some(Ok(first));
            }
            if let Err(error) = self.read_more() {
                (self.start, self.searched) = (0, 0);
                self.rest.clear();
                return Some(Err(error));
            }
        }
    }
}

impl Backwards<'_> {
    /// Reads as much again as is there already, so that a long line is copied only a few times.
    fn read_more(&mut self) -> io::Result<()> {
        let there = self.rest.len();
        let wanted = CHUNK_BYTES.max(there as u64).min(self.start - self.floor);
        if wanted == 0 {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("its last {} MiB do not tell enough", TAIL_BYTES_MAX >> 20),
            ));
        }
        let mut chunk = vec![0; usize::try_from(wanted).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut chunk, self.start - wanted)?;
        self.start -= wanted;
        chunk.append(&mut self.rest);
        self.rest = chunk;
        Ok(())
    }
}

/// The path is under the agent's hands: it could name a pipe that never opens, or lead to a file that is not its own.
fn open_with(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let careful = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options
        .custom_flags(careful.bits().cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() && metadata.nlink() == 1 {
        Ok(file)
    } else {
        Err(io::Error::other("it is not a file with one name"))
    }
}

#[cfg(test)]
mod tests;
