//! Runs cells one after the other: a fleet, sessions at the moment, the fault, the person, the laws.

use std::any::Any;
use std::hash::{BuildHasher as _, RandomState};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::{join, join_all};
use futures::{FutureExt as _, StreamExt as _};
use serde_json::Value;
use tokio::time::Instant;

use super::agent::Agent;
use super::disk::Disk;
use super::fault::Fault;
use super::ground::Ground;
use super::journey::Journey;
use super::laws::{self, Verdict};
use super::ledger::Ledger;
use super::moment::Moment;
use super::strike::Strike;
use super::table::{Row, Table};
use crate::fleet::Fleet;

/// What to run.
pub struct Settings {
    pub agents: Vec<Agent>,
    pub faults: Vec<Fault>,
    pub moments: Vec<Moment>,
    /// How often each cell's fault strikes.
    pub rounds: usize,
    /// How many sessions each strike finds at the moment.
    pub sessions: usize,
    /// How many cells are run side by side. With more than one, what is measured includes the others.
    pub jobs: usize,
    /// How long a freeze lasts.
    pub silence: Duration,
    /// Where the logs of failed rounds go.
    pub logs: PathBuf,
}

/// How often a fleet is started before its start is a failure.
const STARTS_MAX: usize = 3;
/// Longest time between a decision and the fault, when the runner is not held.
const FLIGHT_MS_MAX: u64 = 30;

/// Runs every cell. `say` is given each line of the table as soon as it is known.
pub async fn run(settings: &Settings, mut say: impl FnMut(&str)) -> Table {
    let mut table = Table::default();
    say(Row::HEAD);
    if settings.faults.contains(&Fault::DiskFull) && !Disk::is_possible() {
        say("disk-full was not run: only root can mount a file system to fill");
        table.not_run.push(Fault::DiskFull);
    }
    let mut rows = Vec::new();
    for cell in cells(settings) {
        if table.not_run.contains(&cell.fault) {
            continue;
        }
        rows.push(cell.run());
    }
    let mut rows = futures::stream::iter(rows).buffered(settings.jobs);
    while let Some(row) = rows.next().await {
        say(&row.line());
        for violation in &row.violations {
            say(&format!("  {violation}"));
        }
        table.rows.push(row);
    }
    drop(rows);
    table
}

/// In the order of the table: by agent, fault and moment.
fn cells(settings: &Settings) -> impl Iterator<Item = Cell<'_>> {
    let all = settings.agents.iter().flat_map(move |&agent| {
        settings.faults.iter().flat_map(move |&fault| {
            settings.moments.iter().map(move |&moment| Cell {
                settings,
                agent,
                fault,
                moment,
            })
        })
    });
    all.filter(|cell| cell.agent.is_struck(cell.fault, cell.moment))
}

struct Cell<'a> {
    settings: &'a Settings,
    agent: Agent,
    fault: Fault,
    moment: Moment,
}

impl Cell<'_> {
    async fn run(self) -> Row {
        let mut row = Row::new(self.agent, self.fault, self.moment);
        let mut ground: Option<Ground> = None;
        for round in 0..self.settings.rounds {
            let mut current = match ground.take() {
                Some(ground) => ground,
                None => self.ground().await,
            };
            current.strike();
            let before = row.violations.len();
            self.round(round, &current, &mut row).await;
            for violation in &mut row.violations[before..] {
                violation.insert_str(0, &format!("round {round}: "));
            }
            // What went wrong once would only be seen again.
            if row.violations.len() == before && !current.is_worn_out() {
                ground = Some(current);
            }
        }
        row
    }

    /// Ports are chosen before they are taken, and on a busy machine somebody else may be quicker.
    async fn ground(&self) -> Ground {
        for _ in 1..STARTS_MAX {
            let start = Ground::new(self.agent, self.fault, self.settings.sessions);
            if let Ok(ground) = caught(start).await {
                return ground;
            }
        }
        Ground::new(self.agent, self.fault, self.settings.sessions).await
    }

    async fn round(&self, round: usize, ground: &Ground, row: &mut Row) {
        row.rounds += 1;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ledger = Ledger::new(folder.path());
        let mut journeys = Vec::new();
        let outcome = caught(self.travel(round, ground, &ledger, &mut journeys)).await;
        let (healed, rests) = match outcome {
            Ok(it) => it,
            Err(words) => {
                row.violations
                    .push(format!("the moment was not reached: {words}"));
                keep(
                    &self.folder(round),
                    &ground.fleet,
                    &journeys,
                    std::slice::from_ref(&words),
                )
                .await;
                return;
            }
        };
        let mut said = Vec::new();
        for (journey, rest) in journeys.iter().zip(rests) {
            let seen = match rest {
                Ok(rest) => caught(journey.events()).await.map(|events| (rest, events)),
                Err(words) => Err(format!("did not come to rest: {words}")),
            };
            let (verdict, rest) = match seen {
                Ok((rest, events)) => (laws::judge(self.fault, journey, &events, &ledger), rest),
                Err(words) => {
                    let mut verdict = Verdict::default();
                    verdict.violations.push(words);
                    (verdict, Instant::now())
                }
            };
            said.extend(
                verdict
                    .violations
                    .iter()
                    .map(|violation| format!("{}: {violation}", journey.session)),
            );
            row.add(verdict, rest.saturating_duration_since(healed));
        }
        if !said.is_empty() {
            keep(&self.folder(round), &ground.fleet, &journeys, &said).await;
        }
    }

    /// To the moment, through the fault, and to the end. Says when the fault was over and when each came to rest.
    async fn travel<'a>(
        &self,
        round: usize,
        ground: &'a Ground,
        ledger: &'a Ledger,
        journeys: &mut Vec<Journey<'a>>,
    ) -> (Instant, Vec<Result<Instant, String>>) {
        let fleet = &ground.fleet;
        let names = (0..self.settings.sessions).map(|index| {
            (
                format!(
                    "{}-{}-{round}-{index}",
                    self.fault.name(),
                    self.moment.name()
                ),
                (round + index) % 2 == 1,
            )
        });
        let starts = names.map(|(name, deny)| async move {
            Journey::start(fleet, ledger, self.agent.name(), self.moment, &name, deny).await
        });
        *journeys = join_all(starts).await;
        join_all(journeys.iter_mut().map(Journey::reach)).await;
        let sessions: Vec<String> = journeys
            .iter()
            .map(|journey| journey.session.clone())
            .collect();
        let strike = Strike::aim(self.fault, ground, &sessions);
        if !self.moment.is_in_flight() {
            let outage = strike.strike(self.settings.silence);
            return join(outage.heal(), finish(journeys, false)).await;
        }
        if round.is_multiple_of(2) {
            strike.hold_runner();
            join_all(journeys.iter_mut().map(Journey::send)).await;
            let outage = strike.strike(self.settings.silence);
            strike.release_runner();
            return join(outage.heal(), finish(journeys, false)).await;
        }
        let struck = async {
            let after = RandomState::new().hash_one(round) % FLIGHT_MS_MAX;
            tokio::time::sleep(Duration::from_millis(after)).await;
            strike.strike(self.settings.silence).heal().await
        };
        join(struck, finish(journeys, true)).await
    }

    fn folder(&self, round: usize) -> PathBuf {
        let name = format!("{}-{}-{round}", self.fault.name(), self.moment.name());
        self.settings.logs.join(name)
    }
}

async fn finish(journeys: &mut [Journey<'_>], send_first: bool) -> Vec<Result<Instant, String>> {
    join_all(journeys.iter_mut().map(|journey| {
        caught(async move {
            if send_first {
                journey.send().await;
            }
            journey.finish().await
        })
    }))
    .await
}

/// The kit fails by panicking; here that is one more outcome.
async fn caught<T>(future: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(future)
        .catch_unwind()
        .await
        .map_err(|panic| words(&*panic))
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic without words".to_owned())
}

/// Keeps what is needed to understand a failed round: what was wrong, what was told, and every log.
async fn keep(to: &Path, fleet: &Fleet, journeys: &[Journey<'_>], violations: &[String]) {
    std::fs::create_dir_all(to).expect("a folder for logs");
    std::fs::write(to.join("violations.txt"), violations.join("\n\n")).expect("a file");
    for journey in journeys {
        let events: Vec<Value> = caught(journey.events()).await.unwrap_or_default();
        let lines: Vec<String> = events.iter().map(Value::to_string).collect();
        std::fs::write(
            to.join(format!("{}.jsonl", journey.session)),
            lines.join("\n"),
        )
        .expect("a file");
        copy(
            &fleet.data().join("sessions").join(&journey.session),
            &to.join(&journey.session),
        );
    }
    copy(&fleet.data().join("logs"), &to.join("logs"));
}

/// Files only, as far as they can be read; sockets and worktrees tell nothing.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).ok();
    for entry in std::fs::read_dir(from).into_iter().flatten().flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type() {
            Ok(kind) if kind.is_file() => {
                std::fs::copy(&path, &target).ok();
            }
            Ok(kind) if kind.is_dir() => copy(&path, &target),
            _ => {}
        }
    }
}
