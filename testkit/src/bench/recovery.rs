//! (i) From a kill until it serves again: what a person notices of it.

use std::time::Duration;

use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;

use super::figure::Figure;
use super::run::Settings;
use super::samples::Samples;
use super::stage::Stage;
use super::tab::ms;
use crate::{processes, stamp};

/// A person's program would not ask more often.
const PAUSE: Duration = Duration::from_millis(5);
const WANTED_MS: f64 = 1000.0;
/// Killed sooner, a part is taken for one that dies of being started, and `up` waits before it starts it again.
const LIVES: Duration = Duration::from_millis(2_500);

pub(super) async fn measure(settings: &Settings, stage: &Stage) -> Vec<Figure> {
    let session = stage.rested("rehearsal", "say ready").await;
    let mut figures = Vec::new();
    for part in ["coordinator", "runner", "nats"] {
        let mut took = Samples::default();
        for _ in 0..settings.rounds.min(10) {
            let before = stage.last_seq(&session).await;
            let pid = stage.pid(part);
            processes::signal(pid, Signal::KILL);
            let killed = stamp::now_us();
            told_and_done(stage, &session, before).await;
            took.push(ms(killed, stamp::now_us()));
            stage.rests(&session).await;
            crate::wait::until("another one", Duration::from_secs(60), async || {
                let now = stage.pid(part);
                (now != pid).then_some(()).ok_or_else(|| now.to_string())
            })
            .await;
            stage.fleet.wait_serving().await;
            tokio::time::sleep(LIVES).await;
        }
        let name = format!("{part} killed: until a message is taken and answered");
        figures.push(
            Figure::new("i", format!("{name}, p50"), took.median(), "ms")
                .of(took.count())
                .wanted("1 s", took.median() <= WANTED_MS),
        );
        figures.push(
            Figure::new(
                "i",
                format!("{name}, longest"),
                took.percentile(100.0),
                "ms",
            )
            .of(took.count()),
        );
    }
    stage.stop(&session).await;
    figures
}

/// Says something until it is taken, and waits for the answer before it looks at the clock.
async fn told_and_done(stage: &Stage, session: &str, before: u64) {
    let id = format!("cmd_{}", uuid::Uuid::now_v7().simple());
    let body = json!({"id": id, "text": "say again"});
    let path = format!("/api/sessions/{session}/messages");
    while !stage
        .fleet
        .request(Method::POST, &path, Some(body.clone()))
        .await
        .0
        .is_success()
    {
        tokio::time::sleep(PAUSE).await;
    }
    let path = format!("/api/sessions/{session}/events?after={before}");
    loop {
        let page = stage.fleet.try_get(&path).await.unwrap_or_default();
        let events = page["items"].as_array().cloned().unwrap_or_default();
        if events
            .iter()
            .any(|event| event["type"] == "message.assistant")
        {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
