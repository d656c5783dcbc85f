//! (e) How many sessions can stream at once, before those who read along notice.

use std::time::Duration;

use futures::future::join_all;

use super::figure::Figure;
use super::run::Settings;
use super::samples::Samples;
use super::stage::Stage;
use super::tab::Tab;

const SOCKETS: usize = 50;
const WATCHED_BY_EACH: usize = 10;
/// Twenty a second.
const APART_MS: usize = 50;
const STREAMED: Duration = Duration::from_secs(10);
/// Each step is tried until one is too much.
const STEPS: [usize; 8] = [25, 50, 100, 150, 200, 300, 400, 500];
const WANTED: usize = 500;
const P99_MS_MAX: f64 = 50.0;
const STARTED_AT_ONCE: usize = 25;

pub(super) async fn measure(settings: &Settings, stage: &Stage) -> Vec<Figure> {
    let mut sessions: Vec<String> = Vec::new();
    let (mut most, mut at_most, mut figures) = (0, 0.0, Vec::new());
    for step in STEPS.into_iter().filter(|step| *step <= settings.sessions) {
        while sessions.len() < step {
            let missing = (step - sessions.len()).min(STARTED_AT_ONCE);
            let more = (0..missing).map(|_| stage.rested("rehearsal", "say ready"));
            sessions.extend(join_all(more).await);
        }
        let ages = stream(stage, &sessions).await;
        let p99 = ages.percentile(99.0);
        let name = format!("{step} sessions streaming: text on its way, p50");
        figures.push(Figure::new("e", name, ages.median(), "ms").of(ages.count()));
        let name = format!("{step} sessions streaming: text on its way, p99");
        figures.push(Figure::new("e", name, p99, "ms").of(ages.count()));
        if p99 > P99_MS_MAX {
            break;
        }
        (most, at_most) = (step, p99);
    }
    let name = format!(
        "sessions at 20 deltas/s each, {SOCKETS} sockets watching {WATCHED_BY_EACH} each, with p99 under 50 ms (it was {at_most:.1} ms)"
    );
    let largest = Figure::new("e", name, most as f64, "sessions");
    figures.insert(
        0,
        largest.wanted(format!("{WANTED} sessions"), most >= WANTED),
    );
    figures
}

/// All of them at once, read by all sockets. How long each delta was on its way, in milliseconds.
async fn stream(stage: &Stage, sessions: &[String]) -> Samples {
    let count = usize::try_from(STREAMED.as_millis()).unwrap_or(0) / APART_MS;
    let mut tabs = Vec::new();
    for socket in 0..SOCKETS {
        let mut tab = Tab::open(&stage.fleet).await;
        // Spread, so that every session has somebody who watches, as far as there are enough.
        let watched = (0..WATCHED_BY_EACH)
            .map(|index| &sessions[(socket * WATCHED_BY_EACH + index) % sessions.len()]);
        for session in watched {
            tab.watch(session).await;
        }
        tabs.push(tab);
    }
    let readers = tabs.into_iter().map(|tab| tokio::spawn(read(tab)));
    let readers: Vec<_> = readers.collect();
    let prompt = format!("stamps {count} {APART_MS}");
    join_all(sessions.iter().map(|session| stage.say(session, &prompt))).await;
    join_all(sessions.iter().map(|session| stage.rests(session))).await;
    let mut ages = Samples::default();
    for reader in readers {
        ages.extend(reader.await.expect("it reads"));
    }
    ages
}

/// Until every session that it watches has been at rest again.
async fn read(mut tab: Tab) -> Vec<f64> {
    let (mut ages, mut ended) = (Vec::new(), 0);
    while ended < WATCHED_BY_EACH {
        let frame = tab.next().await;
        ages.extend(frame.live_ages_ms());
        ended += frame.text.matches(r#""type":"turn.finished""#).count();
    }
    ages
}
