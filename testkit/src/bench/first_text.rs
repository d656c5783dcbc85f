//! (c) How long a person waits for the first word: of a new session, and of its next turn.

use super::bare::{Bare, is_delta};
use super::figure::Figure;
use super::run::Settings;
use super::samples::Samples;
use super::stage::Stage;
use super::tab::{Tab, ms};
use crate::stamp;

const PROMPT: &str = "stamps 3 20";

#[derive(Default)]
struct Waits {
    new_session: Samples,
    next_turn: Samples,
}

pub(super) async fn measure(settings: &Settings, stage: &Stage) -> Vec<Figure> {
    let (mut bare, mut ours) = (Waits::default(), Waits::default());
    for round in 0..=settings.rounds {
        let mut warming = Waits::default();
        let counted = round > 0;
        without(
            &stage.model.url(),
            if counted { &mut bare } else { &mut warming },
        )
        .await;
        with(stage, if counted { &mut ours } else { &mut warming }).await;
    }
    let (new_bare, new_ours) = (bare.new_session.median(), ours.new_session.median());
    let (next_bare, next_ours) = (bare.next_turn.median(), ours.next_turn.median());
    vec![
        Figure::new("c", "new session to first text, p50", new_ours, "ms")
            .beside(new_bare)
            .of(ours.new_session.count())
            .wanted("1.15 × bare", new_ours <= 1.15 * new_bare),
        Figure::new("c", "next turn to first text, p50", next_ours, "ms")
            .beside(next_bare)
            .of(ours.next_turn.count())
            .wanted("1.3 × bare", next_ours <= 1.3 * next_bare),
    ]
}

async fn without(model: &str, waits: &mut Waits) {
    let started = stamp::now_us();
    let mut bare = Bare::start(model);
    let mut said = started;
    for turn in 0..2 {
        if turn > 0 {
            said = stamp::now_us();
        }
        bare.say(PROMPT).await;
        let first = loop {
            let (at_us, line) = bare.next().await;
            if is_delta(&line) {
                break at_us;
            }
        };
        let samples = if turn == 0 {
            &mut waits.new_session
        } else {
            &mut waits.next_turn
        };
        samples.push(ms(said, first));
        bare.until(|line| line["type"] == "result").await;
    }
}

async fn with(stage: &Stage, waits: &mut Waits) {
    let mut tab = Tab::open(&stage.fleet).await;
    let started = stamp::now_us();
    let session = stage.start("claude", PROMPT).await;
    tab.subscribe(&session).await;
    waits.new_session.push(ms(started, first(&mut tab).await));
    stage.rests(&session).await;
    let said = stamp::now_us();
    stage.say(&session, PROMPT).await;
    waits.next_turn.push(ms(said, first(&mut tab).await));
    stage.rests(&session).await;
    stage.stop(&session).await;
}

/// When live text was first there, be it that the tab came to it or it to the tab.
async fn first(tab: &mut Tab) -> u64 {
    let has_live = |frame: &serde_json::Value| {
        frame["live"]
            .as_array()
            .is_some_and(|rows| !rows.is_empty())
    };
    tab.until(has_live).await.0
}
