//! Keeping one part running: started again when it dies, ended when it is time.

use std::process::ExitStatus;
use std::time::Duration;

use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::part::Part;
use super::process::Process;

/// A part that lived well is started again at once. One that dies again and again is waited for, and a part that cannot
/// live is not started more often than the last of these says.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// Who lived so many times as long as the pause before did not die of being started.
const LIVED_WELL: u32 = 10;
/// Nor did who lived this long, when there was no pause.
const LIVED_LEAST: Duration = Duration::from_secs(2);
/// What a part gets to finish what it accepted.
const GRACE: Duration = Duration::from_secs(20);

/// The latest about a part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// None while it is not running.
    pub process: Option<Process>,
    /// How it ended the last time, if it ever did.
    pub ended: Option<String>,
}

/// A part that is kept running by a task of its own.
pub struct Supervised {
    pub part: Part,
    condition: watch::Receiver<Condition>,
    proven: CancellationToken,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Supervised {
    /// Starts the part and keeps it running. The runtime must be one that runs its tasks on the thread that lives to
    /// the end of the program.
    pub fn start(part: Part) -> Self {
        let (sender, condition) = watch::channel(Condition::default());
        let (proven, stop) = (CancellationToken::new(), CancellationToken::new());
        let task = tokio::spawn(keep(part.clone(), sender, proven.clone(), stop.clone()));
        Self {
            part,
            condition,
            proven,
            stop,
            task,
        }
    }

    /// The latest about it, and every later word.
    pub fn condition(&self) -> watch::Receiver<Condition> {
        self.condition.clone()
    }

    pub fn process(&self) -> Option<Process> {
        self.condition.borrow().process
    }

    /// It has been seen at work. Until then it is not started again when it ends: what kept it from starting will not go
    /// away by itself.
    pub fn prove(&self) {
        self.proven.cancel();
    }

    /// Ends it for good and waits until it is gone.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(part = self.part.name, %error, "its supervision broke");
        }
    }
}

async fn keep(
    part: Part,
    condition: watch::Sender<Condition>,
    proven: CancellationToken,
    stop: CancellationToken,
) {
    let mut pause = Duration::ZERO;
    while !stop.is_cancelled() {
        let started = Instant::now();
        let ended = match part.start() {
            Ok(child) => match live(child, &condition, &stop).await {
                Some(ended) => ended,
                None => return,
            },
            Err(error) => format!("could not be started: {error}"),
        };
        condition.send_modify(|condition| {
            condition.process = None;
            condition.ended = Some(ended.clone());
        });
        if !proven.is_cancelled() {
            stop.cancelled().await;
            return;
        }
        if started.elapsed() >= LIVED_LEAST.max(pause * LIVED_WELL) {
            pause = Duration::ZERO;
        }
        tracing::warn!(
            log = %part.log.display(),
            pause_ms = pause.as_millis(),
            "the {} {ended}; it is started again", part.name
        );
        tokio::select! {
            () = sleep(pause) => pause = longer(pause),
            () = stop.cancelled() => return,
        }
    }
}

/// What the next death in a row is answered with.
fn longer(pause: Duration) -> Duration {
    if pause.is_zero() {
        PAUSE_FIRST
    } else {
        PAUSE_MAX.min(pause * 2)
    }
}

/// One life of a part. Tells how it ended, unless it was ended by us.
async fn live(
    mut child: Child,
    condition: &watch::Sender<Condition>,
    stop: &CancellationToken,
) -> Option<String> {
    let process = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Process::now);
    condition.send_modify(|condition| condition.process = process);
    tokio::select! {
        status = child.wait() => Some(describe(status)),
        () = stop.cancelled() => {
            end(&mut child, process).await;
            condition.send_modify(|condition| condition.process = None);
            None
        }
    }
}

async fn end(child: &mut Child, process: Option<Process>) {
    if let Some(process) = process {
        process.terminate();
    }
    if tokio::time::timeout(GRACE, child.wait()).await.is_ok() {
        return;
    }
    tracing::warn!(?process, "it did not end when asked, so it was killed");
    if let Some(process) = process {
        process.kill_group();
    }
    if let Err(error) = child.kill().await {
        tracing::error!(%error, "it could not be killed");
    }
}

fn describe(status: std::io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => format!("ended ({status})"),
        Err(error) => format!("cannot be watched: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `live` itself, on programs that need no tether.
    fn child(script: &str) -> Child {
        tokio::process::Command::new("sh")
            .args(["-c", script])
            .process_group(0)
            .spawn()
            .unwrap()
    }

    #[tokio::test]
    async fn how_a_part_ended_is_told() {
        let (condition, seen) = watch::channel(Condition::default());
        let stop = CancellationToken::new();
        let ended = live(child("exit 7"), &condition, &stop).await.unwrap();
        assert!(ended.contains("exit status: 7"), "{ended}");
        assert!(seen.has_changed().unwrap());
    }

    #[test]
    fn the_first_death_is_answered_at_once_and_the_pause_has_an_end() {
        let pauses: Vec<Duration> =
            std::iter::successors(Some(Duration::ZERO), |it| Some(longer(*it)))
                .take(12)
                .collect();
        assert_eq!(pauses[..3], [Duration::ZERO, PAUSE_FIRST, PAUSE_FIRST * 2]);
        assert!(pauses.is_sorted());
        assert_eq!(pauses.last(), Some(&PAUSE_MAX));
    }

    #[tokio::test]
    async fn a_part_that_is_stopped_is_gone_afterwards_and_does_not_count_as_dead() {
        let (condition, seen) = watch::channel(Condition::default());
        let stop = CancellationToken::new();
        stop.cancel();
        // Told to stop before it lived; it is ended all the same.
        let running = child("exec sleep 600");
        let process = Process::now(running.id().unwrap().try_into().unwrap()).unwrap();
        assert_eq!(live(running, &condition, &stop).await, None);
        assert!(!process.is_alive());
        assert_eq!(seen.borrow().process, None);
    }
}
