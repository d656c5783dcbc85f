//! (e) How many sessions can stream at once, before those who read along notice.

use std::time::Duration;

use futures::future::join_all;

use super::figure::Figure;
use super::run::Settings;
use super::samples::Samples;
use super::stage::Stage;
use super::tab::{Tab, ms};
use crate::stamp;

const SOCKETS: usize = 50;
const WATCHED_BY_EACH: usize = 10;
/// Twenty a second.
const APART_MS: usize = 50;
/// How long all of them stream, and are measured.
const STREAMED: Duration = Duration::from_secs(10);
/// They begin one after the other, as people do, over so long; and have so long to settle before and after.
const BEGIN: Duration = Duration::from_secs(2);
const SETTLE: Duration = Duration::from_secs(1);
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
    let all = BEGIN + SETTLE + STREAMED + SETTLE;
    let count = usize::try_from(all.as_millis()).unwrap_or(0) / APART_MS;
    let prompt = format!("stamps {count} {APART_MS}");
    let apart = BEGIN / u32::try_from(sessions.len()).unwrap_or(u32::MAX);
    let begin = sessions.iter().zip(0_u32..).map(|(session, number)| {
        let prompt = &prompt;
        async move {
            tokio::time::sleep(apart * number).await;
            stage.say(session, prompt).await;
        }
    });
    join_all(begin).await;
    let from = stamp::now_us() + micros(SETTLE);
    let until = from + micros(STREAMED);
    let mut ages = Samples::default();
    for reader in readers {
        let heard = reader.await.expect("it reads");
        let measured = heard
            .iter()
            .filter(|heard| (from..until).contains(&heard.said_us));
        ages.extend(measured.map(|heard| ms(heard.said_us, heard.at_us)));
    }
    // Nobody is asked before that: hundreds who ask ten times a second would be the larger load.
    join_all(sessions.iter().map(|session| stage.rests(session))).await;
    ages
}

/// One stamp.
struct Heard {
    said_us: u64,
    at_us: u64,
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Until every session that it watches has been at rest again.
async fn read(mut tab: Tab) -> Vec<Heard> {
    let (mut heard, mut ended) = (Vec::new(), 0);
    while ended < WATCHED_BY_EACH {
        let frame = tab.next().await;
        let at_us = frame.at_us;
        heard.extend(
            frame
                .live_stamps_us()
                .map(|said_us| Heard { said_us, at_us }),
        );
        ended += frame.text.matches(r#""type":"turn.finished""#).count();
    }
    heard
}
