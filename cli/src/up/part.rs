//! One of the three programs beneath `flotilla up`: how it is started and where it writes.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use tokio::process::{Child, Command};

use crate::configuration::this_program;

/// A log that grew beyond this is put aside when its part is started; one older log is kept.
const LOG_BYTES_MAX: u64 = 10 * 1024 * 1024;
/// What of a log is shown when its part did not start.
const TAIL_LINES: usize = 8;
const TAIL_BYTES: u64 = 4 * 1024;

/// A program to run for as long as `flotilla up` does.
#[derive(Debug, Clone)]
pub struct Part {
    pub name: &'static str,
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    pub log: PathBuf,
    /// What it accepts on. Kept here, so that connections wait while the part is started again.
    pub listener: Option<Arc<TcpListener>>,
}

impl Part {
    /// Starts it in a group of its own, so that a Ctrl-C in the terminal reaches only `flotilla up`, and tied to this
    /// process. To be called from the thread that lives as long as the program should.
    pub fn start(&self) -> io::Result<Child> {
        let log = self.open_log()?;
        let mut command = Command::new(this_program()?);
        command
            .arg("tether")
            .arg("--parent")
            .arg(std::process::id().to_string());
        command.stdin(Stdio::null());
        if let Some(listener) = &self.listener {
            command.arg("--listener");
            command.stdin(OwnedFd::from(listener.try_clone()?));
        }
        command.arg("--").arg(&self.program).args(&self.arguments);
        command
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0);
        command.spawn()
    }

    /// The end of what it wrote.
    pub fn log_tail(&self) -> String {
        let tail = self.read_tail().unwrap_or_default();
        let text = String::from_utf8_lossy(&tail);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }

    fn open_log(&self) -> io::Result<File> {
        if std::fs::metadata(&self.log).is_ok_and(|it| it.len() > LOG_BYTES_MAX) {
            std::fs::rename(&self.log, self.log.with_extension("log.1"))?;
        }
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.log)
    }

    fn read_tail(&self) -> io::Result<Vec<u8>> {
        let mut file = File::open(&self.log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        Ok(tail)
    }
}
