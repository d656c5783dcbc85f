//! (g) What it takes of the machine's memory: the parts with nothing to do, and what each session adds.

use futures::future::join_all;

use super::figure::Figure;
use super::run::Settings;
use super::stage::Stage;
use crate::processes;

/// Enough that what one of them takes can be told.
const SESSIONS: usize = 50;

pub(super) async fn measure(_settings: &Settings, stage: &Stage) -> Vec<Figure> {
    let idle = |part: &str| pss_mb(stage.pid(part));
    let (coordinator, runner, nats) = (idle("coordinator"), idle("runner"), idle("nats"));
    let sessions = join_all((0..SESSIONS).map(|_| stage.rested("rehearsal", "say ready"))).await;
    let held = processes::held(&stage.fleet.data(), &sessions);
    let shims: f64 = held
        .iter()
        .filter_map(|it| it.shim)
        .map(|shim| pss_mb(shim) + keepers_mb(shim))
        .sum();
    let runner_busy = idle("runner");
    let of_runner = (runner_busy - runner).max(0.0) / SESSIONS as f64;
    let of_shim = shims / SESSIONS as f64;
    join_all(
        sessions
            .iter()
            .map(|session| stage.say(session, "stream 100 20")),
    )
    .await;
    let streaming = idle("coordinator");
    join_all(sessions.iter().map(|session| stage.rests(session))).await;
    let each = of_runner + of_shim;
    let figure = |name: &str, value: f64| Figure::new("g", name, value, "MB");
    vec![
        figure("coordinator, idle", coordinator).wanted("40 MB", coordinator <= 40.0),
        figure(
            &format!("coordinator, {SESSIONS} sessions streaming"),
            streaming,
        ),
        figure("runner, idle", runner),
        figure("nats-server, idle", nats),
        figure("each session: its share of the runner", of_runner).of(SESSIONS),
        figure("each session: its shim", of_shim).of(SESSIONS),
        figure("each session without its agent", each)
            .of(SESSIONS)
            .wanted("6 MB", each <= 6.0),
    ]
}

/// Proportional set size: what is shared with others is counted in shares.
pub(super) fn pss_mb(pid: i32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or(0.0) * 1024.0 / 1e6
}

/// The processes beside the agent that a shim keeps.
fn keepers_mb(shim: i32) -> f64 {
    processes::keepers(shim).into_iter().map(pss_mb).sum()
}
