//! A run: every piece of the plan, side by side, until all is done, time is up or a person says stop.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::agent::Agent;
use super::cell;
use super::fault::Fault;
use super::moment::Moment;
use super::plan::{self, Piece};
use super::power::PowerDisk;
use super::record::{Line, NotRun};
use super::silences::Silences;
use crate::namespace::Network;

/// What to run.
#[derive(Debug, Clone)]
pub struct Settings {
    pub agents: Vec<Agent>,
    pub faults: Vec<Fault>,
    pub moments: Vec<Moment>,
    /// How often each cell's fault strikes.
    pub rounds: usize,
    /// How many sessions each strike finds at the moment.
    pub sessions: usize,
    /// How many fleets are struck side by side. With more than one, what is measured includes the others.
    pub jobs: usize,
    /// How many beside them whose fault lasts long, and that mostly wait.
    pub waiting: usize,
    pub silences: Silences,
    /// Where the logs of rounds go that went wrong.
    pub folder: PathBuf,
}

/// What is told while it goes on.
#[derive(Debug)]
pub enum Told {
    /// Something to keep.
    Line(Line),
    /// How far it is.
    Progress(Progress),
    /// A piece broke, which is a defect of this program.
    Broken(String),
}

/// How far a run is, after one more piece of it.
#[derive(Debug)]
pub struct Progress {
    pub elapsed: Duration,
    /// Pieces that are done, of how many.
    pub done: usize,
    pub all: usize,
    /// Until the end, judged by what is done.
    pub left: Duration,
}

/// Runs what is left to do after `done`. When told to stop, no further round is begun.
pub async fn run(
    settings: &Settings,
    done: &[Line],
    stop: &CancellationToken,
    mut tell: impl FnMut(Told),
) {
    let mut settings = settings.clone();
    for not_run in impossible(&settings) {
        settings.faults.retain(|it| it.name() != not_run.fault);
        tell(Told::Line(Line::NotRun(not_run)));
    }
    let pieces = plan::pieces(&settings, done);
    let (mut progress, started) = (Estimate::new(&settings, &pieces), Instant::now());
    let (told, mut lines) = unbounded_channel();
    let mut running = spawn(Arc::new(settings), pieces, stop, told);
    loop {
        tokio::select! {
            biased;
            Some(line) = lines.recv() => tell(Told::Line(line)),
            ended = running.join_next() => match ended {
                None => break,
                Some(Ok(piece)) => tell(Told::Progress(progress.after(&piece, started.elapsed()))),
                Some(Err(error)) => tell(Told::Broken(error.to_string())),
            },
        }
    }
    while let Ok(line) = lines.try_recv() {
        tell(Told::Line(line));
    }
}

/// A thread and a runtime for each piece: setting up a fleet blocks, and must not hold up those who measure.
fn spawn(
    settings: Arc<Settings>,
    pieces: Vec<Piece>,
    stop: &CancellationToken,
    told: UnboundedSender<Line>,
) -> JoinSet<Piece> {
    let working = Arc::new(Semaphore::new(settings.jobs.max(1)));
    let waiting = Arc::new(Semaphore::new(settings.waiting.max(1)));
    let mut running = JoinSet::new();
    for piece in pieces {
        let turns = Arc::clone(if piece.waits() { &waiting } else { &working });
        let (settings, stop, told) = (Arc::clone(&settings), stop.clone(), told.clone());
        running.spawn(async move {
            let Ok(_turn) = turns.acquire().await else {
                return piece;
            };
            let thread = tokio::task::spawn_blocking(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime");
                runtime.block_on(cell::run(&settings, &piece, &stop, &told));
                piece
            });
            thread
                .await
                .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
        });
    }
    running
}

fn impossible(settings: &Settings) -> Vec<NotRun> {
    let root = rustix::process::geteuid().is_root();
    let disk = (!root).then(|| "only root can mount a file system to fill".to_owned());
    let link = settings.faults.iter().any(|it| it.needs_link());
    let link = if link { Network::obstacle() } else { None };
    let kernel_cuts = settings.faults.iter().any(|it| it.needs_link()) && link.is_none();
    let obstacle = |fault: Fault| {
        match fault {
        Fault::DiskFull => disk.clone(),
        Fault::Power(_, file_system) => PowerDisk::obstacle(file_system),
        _ if fault.needs_link() => link.clone(),
        // The proxy stands in for the kernel where that cannot be had; where it can, the same cut twice proves nothing.
        _ if fault.needs_wire() => kernel_cuts.then(|| {
            "the kernel's own cuts between namespaces are run instead; name it alone in ONLY to run it all the same".to_owned()
        }),
        _ => None,
    }
    };
    let faults = settings.faults.iter();
    faults
        .filter_map(|&fault| {
            Some(NotRun {
                fault: fault.name().to_owned(),
                words: obstacle(fault)?,
            })
        })
        .collect()
}

/// What is left, by what has been done so far.
struct Estimate {
    /// Of those that work and those that wait: how many go side by side, and lengths in all and done.
    lanes: [Lane; 2],
    done: usize,
    all: usize,
}

struct Lane {
    wide: usize,
    all: Duration,
    done: Duration,
}

impl Estimate {
    fn new(settings: &Settings, pieces: &[Piece]) -> Self {
        let lane = |waits, wide: usize| Lane {
            wide: wide.max(1),
            all: pieces
                .iter()
                .filter(|piece| piece.waits() == waits)
                .map(Piece::length)
                .sum(),
            done: Duration::ZERO,
        };
        Self {
            lanes: [lane(false, settings.jobs), lane(true, settings.waiting)],
            done: 0,
            all: pieces.len(),
        }
    }

    fn after(&mut self, piece: &Piece, elapsed: Duration) -> Progress {
        self.done += 1;
        self.lanes[usize::from(piece.waits())].done += piece.length();
        let left = self.lanes.iter().map(|lane| lane.left(elapsed)).max();
        Progress {
            elapsed,
            done: self.done,
            all: self.all,
            left: left.unwrap_or_default(),
        }
    }
}

impl Lane {
    fn left(&self, elapsed: Duration) -> Duration {
        let left = self.all.saturating_sub(self.done).as_secs_f64();
        let done = self.done.as_secs_f64();
        if done > 0.0 {
            Duration::from_secs_f64(elapsed.as_secs_f64() * left / done)
        } else {
            Duration::from_secs_f64(left / self.wide as f64)
        }
    }
}
