//! (d) What a fresh reader waits for: a long session whole, its tail, and a page of it.

use reqwest::header::ACCEPT_ENCODING;

use super::figure::Figure;
use super::run::Settings;
use super::samples::Samples;
use super::stage::Stage;
use super::tab::{Tab, ms};
use crate::stamp;

/// As much as a coordinator gives at once.
const PAGE: u64 = 1000;
/// Of one turn: what a person may send at once has a bound.
const MESSAGES_PER_TURN: usize = 500;
const SENTENCE: &str = "I looked at the parser and at its tests, and what you describe comes from the way in which it \
                        counts the lines of a string that was continued.";

/// How one reading of a session went.
struct Reading {
    elapsed_ms: f64,
    bytes: usize,
}

pub(super) async fn measure(settings: &Settings, stage: &Stage) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (what, events, wanted_ms) in [
        ("2,000 messages", 2_000, 16.0),
        ("10,000 events", 10_000, 80.0),
    ] {
        let session = long(stage, events).await;
        let (mut whole, mut tail, mut page) =
            (Samples::default(), Samples::default(), Samples::default());
        let mut bytes = 0;
        for _ in 0..settings.rounds {
            let reading = read_whole(stage, &session).await;
            whole.push(reading.elapsed_ms);
            bytes = reading.bytes;
            tail.push(read_tail(stage, &session).await);
            let path = format!("/api/sessions/{session}/events?before=1500&limit=200");
            let started = stamp::now_us();
            stage.fleet.get(&path).await;
            page.push(ms(started, stamp::now_us()));
        }
        let count = whole.count();
        let megabytes = bytes as f64 / 1e6;
        let mut size = Figure::new("d", format!("{what} whole, on the wire"), megabytes, "MB");
        if events == 2_000 {
            size = size.wanted("0.6 MB", megabytes <= 0.6);
        }
        figures.extend([
            Figure::new("d", format!("{what} whole, p50"), whole.median(), "ms")
                .of(count)
                .wanted(format!("{wanted_ms} ms"), whole.median() <= wanted_ms),
            size,
            Figure::new(
                "d",
                format!("{what}: tail over a new socket, p50"),
                tail.median(),
                "ms",
            )
            .of(count)
            .wanted("10 ms", tail.median() <= 10.0),
            Figure::new(
                "d",
                format!("{what}: a page of 200, p50"),
                page.median(),
                "ms",
            )
            .of(count),
        ]);
        stage.stop(&session).await;
    }
    figures
}

/// A session of at least so many messages.
async fn long(stage: &Stage, messages: usize) -> String {
    let turn: String = (0..MESSAGES_PER_TURN)
        .map(|number| format!("say {number}. {SENTENCE}\n"))
        .collect();
    let session = stage.rested("rehearsal", &turn).await;
    while stage.last_seq(&session).await < messages as u64 {
        stage.say(&session, &turn).await;
        stage.fleet.wait_state(&session, &["working"]).await;
        stage.rests(&session).await;
    }
    session
}

/// All of it over one connection, page after page, compressed as a browser wants it.
async fn read_whole(stage: &Stage, session: &str) -> Reading {
    let http = reqwest::Client::new();
    let last = stage.last_seq(session).await;
    let (mut after, mut bytes) = (0, 0);
    // The connection is there before the clock runs, as it is in a page that is open.
    http.get(format!("{}/healthz", stage.fleet.url()))
        .send()
        .await
        .expect("an answer");
    let started = stamp::now_us();
    while after < last {
        let url = format!(
            "{}/api/sessions/{session}/events?after={after}&limit={PAGE}",
            stage.fleet.url()
        );
        let request = http
            .get(url)
            .bearer_auth(stage.fleet.token())
            .header(ACCEPT_ENCODING, "gzip");
        let response = request.send().await.expect("an answer");
        assert!(response.status().is_success(), "{}", response.status());
        bytes += response.bytes().await.expect("a body").len();
        after += PAGE;
    }
    Reading {
        elapsed_ms: ms(started, stamp::now_us()),
        bytes,
    }
}

async fn read_tail(stage: &Stage, session: &str) -> f64 {
    let mut tab = Tab::open(&stage.fleet).await;
    let started = stamp::now_us();
    tab.watch(session).await;
    ms(started, stamp::now_us())
}
