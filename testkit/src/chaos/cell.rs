//! Rounds of one cell: a fleet, sessions at the moment, the fault, the person, the laws.

use std::any::Any;
use std::hash::{BuildHasher as _, RandomState};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{join, join_all};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::calm::Calm;
use super::clock;
use super::fault::Fault;
use super::ground::Ground;
use super::journey::Journey;
use super::keep::keep;
use super::laws;
use super::ledger::Ledger;
use super::plan::Piece;
use super::record::{Line, Missed, Round, Seen};
use super::run::Settings;
use super::strike::Strike;

/// How often a fleet is started before its start is a failure.
const STARTS_MAX: usize = 3;
/// How often a round is tried again whose moment does not come.
const MISSES_MAX: usize = 4;
/// Longest time between a decision and the fault, when the runner is not held.
const FLIGHT_MS_MAX: u64 = 30;

/// Runs a piece, and tells of each round when it is over. Begins no other round once it is told to stop.
pub(super) async fn run(
    settings: &Settings,
    piece: &Piece,
    stop: &CancellationToken,
    tell: &UnboundedSender<Line>,
) {
    let cell = Cell { settings, piece };
    let mut ground: Option<Ground> = None;
    for round in piece.rounds.clone() {
        for _ in 0..=MISSES_MAX {
            if stop.is_cancelled() {
                return;
            }
            let outcome = match ground.take() {
                Some(ground) => Ok(ground),
                None => cell.ground().await,
            };
            let outcome = match outcome {
                Ok(current) => {
                    let outcome = cell.round(round, &current).await;
                    // What went wrong once would only be seen again.
                    if matches!(&outcome, Ok(record) if record.violations.is_empty()) {
                        ground = Some(current);
                    }
                    outcome
                }
                Err(words) => Err(words),
            };
            let struck = outcome.is_ok();
            let line = match outcome {
                Ok(record) => Line::Round(record),
                Err(words) => Line::Missed(Missed {
                    cell: piece.cell(),
                    round,
                    words,
                }),
            };
            // Nobody listens any more once the run is broken off.
            tell.send(line).ok();
            if struck {
                break;
            }
        }
    }
}

struct Cell<'a> {
    settings: &'a Settings,
    piece: &'a Piece,
}

/// The sessions are on their way through the fault.
struct Travelled {
    healed: Instant,
    rests: Vec<Result<Instant, String>>,
}

impl Cell<'_> {
    /// Ports are chosen before they are taken, and on a busy machine somebody else may be quicker.
    async fn ground(&self) -> Result<Ground, String> {
        let mut said = String::new();
        for _ in 0..STARTS_MAX {
            let start = Ground::new(self.piece.agent, self.piece.fault);
            match caught(start).await {
                Ok(ground) => return Ok(ground),
                Err(words) => said = words,
            }
        }
        Err(format!("no fleet could be started: {said}"))
    }

    /// One strike. `Err` says why its moment did not come.
    async fn round(&self, round: usize, ground: &Ground) -> Result<Round, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (ledger, calm) = (Ledger::new(folder.path()), Calm::new());
        let mut record = Round {
            cell: self.piece.cell(),
            round,
            sessions: Vec::new(),
            load: load(),
            violations: Vec::new(),
        };
        let mut journeys = Vec::new();
        let reached = caught(self.reach(round, ground, &ledger, &calm, &mut journeys)).await;
        let earlier = ground.strikes.get();
        let missed = match reached {
            Ok(Ok(())) => None,
            Ok(Err(words)) => Some(words),
            Err(words) if earlier == 0 => Some(words),
            // On a fleet that was struck before, it is the earlier strike that left something behind.
            Err(words) => {
                record.violations.push(format!(
                    "after {earlier} earlier strikes a session did not come to the moment: {words}"
                ));
                keep(&self.folder(round, "broken"), ground, &journeys, &words).await;
                return Ok(record);
            }
        };
        if let Some(words) = missed {
            keep(&self.folder(round, "missed"), ground, &journeys, &words).await;
            return Err(words);
        }
        ground.strikes.set(ground.strikes.get() + 1);
        let travelled = self.travel(round, ground, &calm, &mut journeys).await;
        for (journey, rest) in journeys.iter().zip(travelled.rests) {
            let (verdict, rest) = match rest {
                Ok(rest) => match caught(journey.events()).await {
                    Ok(events) => (
                        laws::judge(self.piece.fault, journey, &events, &ledger),
                        Some(rest),
                    ),
                    Err(words) => (laws::Verdict::broken(words), Some(rest)),
                },
                Err(words) => {
                    let words = format!("did not come to rest: {words}; {}", journey.said().await);
                    (laws::Verdict::broken(words), None)
                }
            };
            let violations = verdict.violations.iter();
            record
                .violations
                .extend(violations.map(|violation| format!("{}: {violation}", journey.session)));
            let recovery = rest.map(|rest| rest.saturating_duration_since(travelled.healed));
            record.sessions.push(Seen {
                recovery_ms: recovery.map(|time| u64::try_from(time.as_millis()).unwrap_or(0)),
                ..verdict.seen
            });
        }
        if let (Fault::Clock(clock, _), Some(clocks)) = (self.piece.fault, &ground.clocks)
            && !clock::runs_by(clocks, clock, &ground.fleet)
        {
            let words = "the part does not run by the clock that was set, so nothing was proved";
            record.violations.push(words.to_owned());
        }
        if record.violations.is_empty() {
            join_all(journeys.iter().map(Journey::leave)).await;
        } else {
            let words = record.violations.join("\n\n");
            keep(&self.folder(round, "broken"), ground, &journeys, &words).await;
        }
        Ok(record)
    }

    /// To the moment. What fails here is no fault of the fault's.
    async fn reach<'a>(
        &self,
        round: usize,
        ground: &'a Ground,
        ledger: &'a Ledger,
        calm: &'a Calm,
        journeys: &mut Vec<Journey<'a>>,
    ) -> Result<(), String> {
        let (fault, moment) = (self.piece.fault, self.piece.moment);
        let starts = (0..self.settings.sessions).map(|index| async move {
            let name = format!("{}-{}-{round}-{index}", fault.name(), moment.name());
            let deny = (round + index) % 2 == 1;
            let agent = self.piece.agent.name();
            Journey::start(ground, ledger, calm, agent, moment, &name, deny).await
        });
        *journeys = join_all(starts).await;
        let reached = join_all(journeys.iter_mut().map(Journey::reach)).await;
        reached.into_iter().collect::<Result<(), String>>()?;
        let still = join_all(journeys.iter().map(Journey::is_still_there)).await;
        still.into_iter().collect()
    }

    /// Through the fault and to the end. Says when the fault was over and when each came to rest.
    async fn travel(
        &self,
        round: usize,
        ground: &Ground,
        calm: &Calm,
        journeys: &mut [Journey<'_>],
    ) -> Travelled {
        let sessions: Vec<String> = journeys
            .iter()
            .map(|journey| journey.session.clone())
            .collect();
        let fault = self.piece.fault;
        let strike = match caught(async { Strike::aim(fault, ground, &sessions) }).await {
            Ok(strike) => strike,
            Err(words) => {
                let rests = journeys.iter().map(|_| Err(words.clone())).collect();
                let healed = Instant::now();
                return Travelled { healed, rests };
            }
        };
        let silence = self.settings.silences.of(fault);
        let struck = async {
            calm.ends();
            let healed = strike.strike(silence).heal().await;
            calm.returns();
            healed
        };
        let (healed, rests) = if !self.piece.moment.is_in_flight() {
            join(struck, finish(journeys, false)).await
        } else if round.is_multiple_of(2) {
            strike.hold_runner();
            let sent = join_all(
                journeys
                    .iter_mut()
                    .map(|journey| caught(async move { journey.send().await })),
            );
            let sent = sent.await;
            let struck = async {
                calm.ends();
                let outage = strike.strike(silence);
                strike.release_runner();
                let healed = outage.heal().await;
                calm.returns();
                healed
            };
            let (healed, rests) = join(struck, finish(journeys, false)).await;
            let rests = rests.into_iter().zip(sent);
            let rests = rests.map(|(rest, sent)| sent.and(rest));
            (healed, rests.collect())
        } else {
            let struck = async {
                let after = RandomState::new().hash_one(round) % FLIGHT_MS_MAX;
                tokio::time::sleep(Duration::from_millis(after)).await;
                struck.await
            };
            join(struck, finish(journeys, true)).await
        };
        Travelled { healed, rests }
    }

    fn folder(&self, round: usize, what: &str) -> PathBuf {
        let piece = self.piece;
        let (agent, fault, moment) = (piece.agent, piece.fault, piece.moment);
        let name = format!(
            "{what}-{}-{}-{}-{round}",
            agent.name(),
            fault.name(),
            moment.name()
        );
        self.settings.folder.join(name)
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
pub(super) async fn caught<T>(future: impl Future<Output = T>) -> Result<T, String> {
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

/// Of the machine, over the last minute.
fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split_whitespace().next();
    first.and_then(|it| it.parse().ok()).unwrap_or(0.0)
}
