//! A request's body on disk, so that all of it can be looked at before any of it is stored, whatever its size.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, Write as _};
use std::path::Path;

use axum::body::Body;
use futures::StreamExt as _;
use tokio::sync::mpsc;

use super::check::{Bad, Check, Checked};
use super::line::LINE_BYTES_MAX;

/// A file of a gigabyte holds a few hundred thousand events.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// Lines that were read and wait to be stored.
const LINES_AHEAD: usize = 4;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not keep what was sent on the disk")]
    Disk(#[source] io::Error),
    #[error("the request broke off before its end")]
    BrokenOff,
    #[error("a file may have {FILE_BYTES_MAX} bytes at most")]
    TooLarge,
    #[error(transparent)]
    Bad(#[from] Bad),
    #[error("the thread that reads is gone")]
    Thread(#[source] tokio::task::JoinError),
}

/// A file without a name: it is gone with the process, however that ends.
pub struct Spool {
    file: File,
}

impl Spool {
    /// Writes the whole body into a file in `folder`.
    pub async fn fill(folder: &Path, body: Body) -> Result<Self, Error> {
        let path = folder.join(format!("import-{}", nats::ids::AuditId::new()));
        let mut file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(Error::Disk)?;
        std::fs::remove_file(&path).map_err(Error::Disk)?;
        let mut chunks = body.into_data_stream();
        let mut total = 0_u64;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Error::BrokenOff)?;
            total += chunk.len() as u64;
            if total > FILE_BYTES_MAX {
                return Err(Error::TooLarge);
            }
            // A chunk is some kilobytes on their way into the page cache.
            file.write_all(&chunk).map_err(Error::Disk)?;
        }
        Ok(Self { file })
    }

    /// Looks at every line.
    pub async fn check(&self) -> Result<Checked, Error> {
        let file = self.file.try_clone().map_err(Error::Disk)?;
        let checking = tokio::task::spawn_blocking(move || -> Result<Checked, Error> {
            let mut check = Check::default();
            each_line(file, |line| {
                check.take(&line).map(|_| ()).map_err(Error::Bad)
            })?;
            Ok(check.finish()?)
        });
        checking.await.map_err(Error::Thread)?
    }

    /// Every line once more, as fast as they are taken.
    pub fn lines(self) -> mpsc::Receiver<Result<Vec<u8>, Error>> {
        let (sender, receiver) = mpsc::channel(LINES_AHEAD);
        tokio::task::spawn_blocking(move || {
            let told = each_line(self.file, |line| {
                sender.blocking_send(Ok(line)).map_err(|_| Error::BrokenOff)
            });
            if let Err(error) = told {
                // Nobody listens when it was the listener who went.
                let _ = sender.blocking_send(Err(error));
            }
        });
        receiver
    }
}

fn each_line(
    mut file: File,
    mut take: impl FnMut(Vec<u8>) -> Result<(), Error>,
) -> Result<(), Error> {
    file.rewind().map_err(Error::Disk)?;
    let mut reader = BufReader::new(file);
    loop {
        let mut line = Vec::new();
        // One byte more than is allowed, so that too long a line is seen as such.
        let read = reader
            .by_ref()
            .take(LINE_BYTES_MAX as u64 + 2)
            .read_until(b'\n', &mut line)
            .map_err(Error::Disk)?;
        if read == 0 {
            return Ok(());
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        take(line)?;
    }
}
