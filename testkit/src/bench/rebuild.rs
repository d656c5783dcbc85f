//! (h) How long a coordinator needs that knows nothing yet: the projection, built from the stream.

use std::time::Duration;

use futures::future::join_all;

use super::figure::Figure;
use super::memory::pss_mb;
use super::run::Settings;
use super::samples::Samples;
use super::stage::Stage;
use super::tab::ms;
use crate::stamp;

const SESSIONS: usize = 20;
const MESSAGES: usize = 2_500;
const WANTED: f64 = 50_000.0;
/// Between two questions whether it serves: asked more often it would have less of the processor for itself.
const PAUSE: Duration = Duration::from_millis(5);

pub(super) async fn measure(settings: &Settings, stage: &Stage) -> Vec<Figure> {
    let empty = start(stage).await;
    let prompt: String = (0..MESSAGES)
        .map(|number| format!("say {number}. It is so.\n"))
        .collect();
    let sessions = join_all((0..SESSIONS).map(|_| stage.rested("rehearsal", &prompt))).await;
    let mut events = 0;
    for session in &sessions {
        events += stage.last_seq(session).await;
    }
    let mut took = Samples::default();
    for _ in 0..settings.rounds.min(5) {
        took.push(start(stage).await);
    }
    let each_second = events as f64 / (took.median() / 1000.0);
    vec![
        Figure::new(
            "h",
            format!("a second coordinator, from its start until it serves {events} events, p50"),
            took.median(),
            "ms",
        )
        .of(took.count()),
        Figure::new("h", "the same with nothing stored", empty, "ms"),
        Figure::new(
            "h",
            "projection built, its start included",
            each_second,
            "events/s",
        )
        .wanted("50,000 events/s", each_second >= WANTED),
        Figure::new(
            "h",
            format!("coordinator, {events} events known"),
            pss_mb(stage.pid("coordinator")),
            "MB",
        ),
    ]
}

async fn start(stage: &Stage) -> f64 {
    let started = stamp::now_us();
    let coordinator = stage.fleet.start_another_coordinator();
    while coordinator.is_ready(&stage.fleet).await.is_err() {
        tokio::time::sleep(PAUSE).await;
    }
    let took = ms(started, stamp::now_us());
    drop(coordinator);
    took
}
