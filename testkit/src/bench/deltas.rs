//! (a) How long text is on its way: from the model's answer through Claude Code to a reader, with Flotilla between them
//! and without.

use super::bare::{Bare, is_delta};
use super::figure::Figure;
use super::run::Settings;
use super::samples::Samples;
use super::stage::Stage;
use super::tab::{Tab, ms};
use crate::stamp;

const DELTAS: usize = 100;
const APART_MS: usize = 20;

pub(super) async fn measure(settings: &Settings, stage: &Stage) -> Vec<Figure> {
    let prompt = format!("stamps {DELTAS} {APART_MS}");
    let (mut bare_ms, mut ours_ms) = (Samples::default(), Samples::default());
    let mut bare = Bare::start(&stage.model.url());
    let session = stage.rested("claude", "say ready").await;
    let mut tab = Tab::open(&stage.fleet).await;
    tab.watch(&session).await;
    for round in 0..=settings.rounds {
        let mut of_bare = Vec::new();
        bare.say(&prompt).await;
        loop {
            let (at_us, line) = bare.next().await;
            if is_delta(&line) {
                of_bare.extend(stamp::read(&line).map(|stamp| ms(stamp, at_us)));
            } else if line.contains(r#""type":"result""#) {
                break;
            }
        }
        let mut of_ours: Vec<f64> = Vec::new();
        stage.say(&session, &prompt).await;
        loop {
            let frame = tab.next().await;
            of_ours.extend(frame.live_ages_ms());
            if frame.text.contains(r#""type":"turn.finished""#) {
                break;
            }
        }
        stage.rests(&session).await;
        // The first turn of a process is not like the others, in either.
        if round > 0 {
            bare_ms.extend(of_bare);
            ours_ms.extend(of_ours);
        }
    }
    stage.stop(&session).await;
    let (bare_50, ours_50) = (bare_ms.median(), ours_ms.median());
    let (bare_99, ours_99) = (bare_ms.percentile(99.0), ours_ms.percentile(99.0));
    let figure = |percent: &str, ours: f64, bare: f64| {
        let name = format!("model's text to a browser's socket, {APART_MS} ms apart, {percent}");
        Figure::new("a", name, ours, "ms")
            .beside(bare)
            .of(ours_ms.count())
    };
    vec![
        figure("p50", ours_50, bare_50).wanted("bare + 1 ms", ours_50 <= bare_50 + 1.0),
        figure("p95", ours_ms.percentile(95.0), bare_ms.percentile(95.0)),
        figure("p99", ours_99, bare_99).wanted("2 × bare", ours_99 <= 2.0 * bare_99),
    ]
}
