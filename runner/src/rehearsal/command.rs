//! Runs a shell command in a process group of its own, which never outlives the step.

use std::io;
use std::path::Path;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{ChildStderr, ChildStdout, Command};

/// What a command printed. It is the caller's, with the pipes it comes from, so that an interrupted command's output
/// is not lost.
#[derive(Default)]
pub(super) struct Printed {
    pub stdout: Kept,
    pub stderr: Kept,
    pipes: (Option<ChildStdout>, Option<ChildStderr>),
}

/// The beginning of a stream, and how much there was of it.
#[derive(Default)]
pub(super) struct Kept {
    bytes: Vec<u8>,
    total: usize,
}

/// As much of each stream as the real agent shows its model.
const KEPT_BYTES_MAX: usize = 30_000;

/// How long the output may stay open after the shell is gone before what holds it is ended.
const LEFTOVERS_GRACE: Duration = Duration::from_millis(100);

/// Runs `command` to its end. Dropped before that, it kills the whole group.
pub(super) async fn run(
    command: &str,
    folder: &Path,
    printed: &mut Printed,
) -> io::Result<ExitStatus> {
    let mut child = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut group = Group::of(child.id());
    printed.pipes = (child.stdout.take(), child.stderr.take());
    let mut drained = pin!(printed.drain());
    let status = tokio::select! {
        () = &mut drained => child.wait().await?,
        status = child.wait() => {
            if tokio::time::timeout(LEFTOVERS_GRACE, &mut drained).await.is_err() {
                group.kill();
                // Whoever left the group and still holds the pipe keeps it; the step is over.
                let _ = tokio::time::timeout(LEFTOVERS_GRACE, &mut drained).await;
            }
            status?
        }
    };
    group.disarm();
    Ok(status)
}

impl Printed {
    /// What a command that was just ended had printed and nobody had read yet.
    pub(super) async fn leftovers(&mut self) {
        // Whoever left the group may hold the pipe open for ever.
        let _ = tokio::time::timeout(LEFTOVERS_GRACE, self.drain()).await;
    }

    async fn drain(&mut self) {
        let (stdout, stderr) = &mut self.pipes;
        tokio::join!(
            drain(stdout.as_mut(), &mut self.stdout),
            drain(stderr.as_mut(), &mut self.stderr)
        );
    }

    /// Both streams, one after the other.
    pub(super) fn whole(&self) -> String {
        let (stdout, stderr) = (self.stdout.text(), self.stderr.text());
        let gap = if stdout.is_empty() || stdout.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        format!("{stdout}{gap}{stderr}")
    }
}

impl Kept {
    pub(super) fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes);
        match self.total - self.bytes.len() {
            0 => text.into_owned(),
            more => format!("{text}\n… {more} bytes more"),
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.total += bytes.len();
        let room = KEPT_BYTES_MAX.saturating_sub(self.bytes.len());
        self.bytes
            .extend_from_slice(&bytes[..room.min(bytes.len())]);
    }
}

/// Reads to the end, keeps the beginning: a command is never stalled by what nobody wants.
async fn drain(stream: Option<&mut (impl AsyncRead + Unpin)>, kept: &mut Kept) {
    let Some(stream) = stream else { return };
    let mut buffer = vec![0; 16 << 10];
    // A pipe that fails is a pipe that ended.
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        kept.add(&buffer[..read]);
    }
}

/// A process group that is killed when this is dropped.
struct Group(Option<Pid>);

impl Group {
    fn of(leader: Option<u32>) -> Self {
        Self(
            leader
                .and_then(|id| i32::try_from(id).ok())
                .and_then(Pid::from_raw),
        )
    }

    fn kill(&mut self) {
        if let Some(group) = self.0.take() {
            // Already gone is as good.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    fn disarm(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
