//! (b) From a person's yes to the command's effect on the disk, and to its result before the person's eyes.

use super::bare::{Bare, effect};
use super::figure::Figure;
use super::run::Settings;
use super::samples::Samples;
use super::stage::Stage;
use super::tab::{Tab, ms};
use crate::stamp;

/// Of one turn.
const CALLS: usize = 5;

/// Milliseconds from the decision.
#[derive(Default)]
struct Path {
    answered: Samples,
    effect: Samples,
    seen: Samples,
}

pub(super) async fn measure(settings: &Settings, stage: &Stage) -> Vec<Figure> {
    let (mut bare_path, mut our_path) = (Path::default(), Path::default());
    let mut bare = Bare::start(&stage.model.url());
    let session = stage.rested("claude", "say ready").await;
    let worktree = stage.fleet.worktree(&session).await;
    let mut tab = Tab::open(&stage.fleet).await;
    tab.watch(&session).await;
    for round in 0..=settings.rounds {
        let names: Vec<String> = (0..CALLS)
            .map(|call| format!("effect-{round}-{call}"))
            .collect();
        let steps = names
            .iter()
            .map(|name| format!("run echo @$(date +%s%6N) > {name}\n"));
        let prompt: String = steps.collect();
        // The first turn of a process is not like the others, in either.
        let mut warming = Path::default();
        let counted = round > 0;
        bare.say(&prompt).await;
        for name in &names {
            let path = if counted {
                &mut bare_path
            } else {
                &mut warming
            };
            without(&mut bare, name, path).await;
        }
        bare.until(|line| line["type"] == "result").await;
        stage.say(&session, &prompt).await;
        for name in &names {
            let path = if counted { &mut our_path } else { &mut warming };
            with(stage, &session, &mut tab, &worktree.join(name), path).await;
        }
        tab.event("turn.finished").await;
        stage.rests(&session).await;
    }
    stage.stop(&session).await;
    let count = our_path.effect.count();
    let figure = |name: &str, ours: f64, bare: f64| {
        Figure::new("b", name, ours, "ms").beside(bare).of(count)
    };
    let (bare_50, ours_50) = (bare_path.effect.median(), our_path.effect.median());
    vec![
        Figure::new(
            "b",
            "decision answered, p50",
            our_path.answered.median(),
            "ms",
        )
        .of(count),
        figure("decision to the effect on disk, p50", ours_50, bare_50)
            .wanted("bare + 6 ms", ours_50 <= bare_50 + 6.0),
        figure(
            "decision to the effect on disk, p95",
            our_path.effect.percentile(95.0),
            bare_path.effect.percentile(95.0),
        ),
        figure(
            "decision to the result at a reader, p50",
            our_path.seen.median(),
            bare_path.seen.median(),
        ),
    ]
}

async fn without(bare: &mut Bare, name: &str, path: &mut Path) {
    let (_, request) = bare.until(|line| line["type"] == "control_request").await;
    let decided = stamp::now_us();
    bare.allow(&request).await;
    let is_result =
        |line: &serde_json::Value| line["message"]["content"][0]["type"] == "tool_result";
    let (seen, _) = bare.until(is_result).await;
    path.seen.push(ms(decided, seen));
    path.effect
        .push(ms(decided, effect(&bare.folder().join(name)).await));
}

async fn with(
    stage: &Stage,
    session: &str,
    tab: &mut Tab,
    file: &std::path::Path,
    path: &mut Path,
) {
    tab.event("gate.opened").await;
    let gate = stage.fleet.gate(session).await;
    let decided = stamp::now_us();
    stage
        .fleet
        .decide(&gate, serde_json::json!({"decision": "allow"}))
        .await;
    path.answered.push(ms(decided, stamp::now_us()));
    let (seen, _) = tab.event("tool.finished").await;
    path.seen.push(ms(decided, seen));
    path.effect.push(ms(decided, effect(file).await));
}
