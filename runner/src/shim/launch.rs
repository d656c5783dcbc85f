//! Starting a shim from the runner, so that it outlives the runner: its own session, nothing inherited, a log of its own.
//! Owns the start and its error; does not know the agent's protocol. Where a service manager starts shims this is not used.

use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{Instant, MissedTickBehavior};

use super::client;
use super::protocol::Hello;
use super::spec::{self, ShimSpec};

/// On a machine that is busy with everything else a start may take a while; more than this is a failure.
const START_TIME_MAX: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(10);
const LOG_TAIL_BYTES: usize = 2 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not hand over what to start")]
    Spec(#[from] spec::Error),
    #[error("could not open the shim's log `{path}`")]
    Log {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("could not start the shim `{program}`")]
    Start {
        program: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("could not wait for the shim")]
    Wait(#[source] io::Error),
    #[error("the shim ended at once ({status}): {log_tail}")]
    Ended {
        status: ExitStatus,
        log_tail: String,
    },
    #[error("the shim did not answer within {waited_ms} ms: {log_tail}")]
    Silent { waited_ms: u128, log_tail: String },
}

/// Starts `flotilla shim` for `spec` and returns once it answers. `folder` is the session's own: the spec passes through
/// it as `shim.json` and the log stays there as `shim.log`.
pub async fn launch(flotilla: &Path, spec: &ShimSpec, folder: &Path) -> Result<Hello, Error> {
    let (spec_path, log_path) = (
        absolute(&folder.join("shim.json")),
        absolute(&folder.join("shim.log")),
    );
    spec.write(&spec_path)?;
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&log_path);
    let log = log.map_err(|source| Error::Log {
        path: log_path.clone(),
        source,
    })?;
    let log_start = log.metadata().map_or(0, |metadata| metadata.len());
    let mut command = Command::new(absolute(flotilla));
    command.arg("shim").arg("--spec").arg(&spec_path);
    // The spec holds all the shim needs; the runner's environment may hold what is none of the agent's business.
    command.env_clear().current_dir("/");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    // Not in a group of its own: the shim makes its own session first thing, which only a group's member can.
    let started = command.spawn().map_err(|source| Error::Start {
        program: flotilla.to_owned(),
        source,
    });
    // Dropping the child neither ends the shim nor leaves a zombie: the runtime reaps it whenever it ends.
    let answer = match started {
        Ok(shim) => wait_for_answer(shim, &spec.socket, &log_path, log_start).await,
        Err(error) => Err(error),
    };
    if answer.is_err() {
        std::fs::remove_file(&spec_path).ok(); // usually the shim has removed it already
    }
    answer
}

async fn wait_for_answer(
    mut shim: Child,
    socket: &Path,
    log: &Path,
    log_start: u64,
) -> Result<Hello, Error> {
    let started = Instant::now();
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let shim_pid = shim.id();
    while started.elapsed() < START_TIME_MAX {
        look.tick().await;
        // An agent that ended at once is fine: its shim is there to say so. A shim that is gone is not.
        if let Some(status) = shim.try_wait().map_err(Error::Wait)? {
            return Err(Error::Ended {
                status,
                log_tail: tail(log, log_start),
            });
        }
        // Whose answer it is matters: an older shim may still serve this socket, and ours is about to say so and end.
        if let Ok(hello) = client::probe(socket).await
            && Some(hello.shim_pid) == shim_pid
        {
            return Ok(hello);
        }
    }
    shim.start_kill().ok();
    Err(Error::Silent {
        waited_ms: started.elapsed().as_millis(),
        log_tail: tail(log, log_start),
    })
}

/// What the shim wrote since `start`, the end of it.
fn tail(log: &Path, start: u64) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let ours = text
        .get(usize::try_from(start).unwrap_or(usize::MAX)..)
        .unwrap_or_default();
    let tail = &ours[ours.len().saturating_sub(LOG_TAIL_BYTES)..];
    let tail = String::from_utf8_lossy(tail).trim().to_owned();
    if tail.is_empty() {
        "it wrote nothing to its log".into()
    } else {
        tail
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
