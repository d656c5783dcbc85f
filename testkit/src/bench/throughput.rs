//! (f) Durable events each second: through runner, relay, stream and projection, beside the raw engine with rows of the
//! same size, as many in one publish.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::stream::{Compression, Config, DiscardPolicy, StorageType};
use bytes::Bytes;
use futures::future::join_all;

use super::figure::Figure;
use super::run::Settings;
use super::stage::Stage;
use super::tab::ms;
use crate::nats_server::{NatsCluster, NatsServer};
use crate::stamp;

const RAW: Duration = Duration::from_secs(5);
/// What an event of the sessions below comes to, envelope and all.
const ROW_BYTES: usize = 420;
const WANTED: f64 = 0.6;
/// Between two questions how far a session is.
const PAUSE: Duration = Duration::from_millis(5);
/// Nothing here takes nearly so long.
const BOUND_US: u64 = 240_000_000;

/// How rows come together.
#[derive(Clone, Copy)]
struct Shape {
    publishers: usize,
    rows_at_once: usize,
}

const ONE_BY_HUNDRED: Shape = Shape {
    publishers: 1,
    rows_at_once: 100,
};
const HUNDRED_BY_ONE: Shape = Shape {
    publishers: 100,
    rows_at_once: 1,
};

pub(super) async fn measure(_settings: &Settings, stage: &Stage) -> Vec<Figure> {
    let server = NatsServer::start().await;
    let single = [
        raw(&[server.url()], 1, ONE_BY_HUNDRED).await,
        raw(&[server.url()], 1, HUNDRED_BY_ONE).await,
    ];
    drop(server);
    let cluster = NatsCluster::start("").await;
    let urls = cluster.urls();
    let three = [
        raw(&urls, 3, ONE_BY_HUNDRED).await,
        raw(&urls, 3, HUNDRED_BY_ONE).await,
    ];
    drop(cluster);
    let ours = [
        through(stage, 1, 5_000).await,
        through(stage, 100, 50).await,
    ];
    let figure = |name: &str, value: f64, raw: f64| {
        Figure::new("f", name, value, "events/s")
            .beside(raw)
            .wanted("0.6 × raw", value >= WANTED * raw)
    };
    vec![
        figure(
            "1 session, 5,000 messages, from the agent to the projection",
            ours[0],
            single[0],
        ),
        figure(
            "100 sessions, 50 messages each, the same",
            ours[1],
            single[1],
        ),
        Figure::new(
            "f",
            "raw engine, three nodes, 1 × 100 rows",
            three[0],
            "events/s",
        ),
        Figure::new(
            "f",
            "raw engine, three nodes, 100 × 1 row",
            three[1],
            "events/s",
        ),
    ]
}

/// Rows each second that the engine itself takes.
async fn raw(urls: &[String], replicas: usize, shape: Shape) -> f64 {
    let client = async_nats::connect(urls).await.expect("it listens");
    let jetstream = async_nats::jetstream::new(client.clone());
    let config = Config {
        name: "RAW".to_owned(),
        subjects: vec!["raw.>".to_owned()],
        storage: StorageType::File,
        num_replicas: replicas,
        compression: Some(Compression::S2),
        discard: DiscardPolicy::New,
        allow_atomic_publish: true,
        ..Config::default()
    };
    crate::wait::until("the stream", Duration::from_secs(60), async || {
        let made = jetstream.get_or_create_stream(config.clone()).await;
        made.map(|_| ()).map_err(|error| error.to_string())
    })
    .await;
    // A cluster has made the stream before it has chosen who leads it.
    crate::wait::until(
        "somebody who takes rows",
        Duration::from_secs(60),
        async || {
            let taken = client.request("raw.first", Bytes::from(row())).await;
            let taken = taken.map_err(|error| error.to_string())?.payload;
            let said = String::from_utf8_lossy(&taken).into_owned();
            (!said.contains("\"error\"")).then_some(()).ok_or(said)
        },
    )
    .await;
    let started = stamp::now_us();
    let until = tokio::time::Instant::now() + RAW;
    let publishers = (0..shape.publishers).map(|publisher| {
        let client = client.clone();
        async move {
            let mut rows = 0;
            while tokio::time::Instant::now() < until {
                publish(&client, &format!("raw.{publisher}"), shape.rows_at_once).await;
                rows += shape.rows_at_once;
            }
            rows
        }
    });
    let rows: usize = join_all(publishers).await.into_iter().sum();
    let took_ms = ms(started, stamp::now_us());
    jetstream.delete_stream("RAW").await.expect("it is there");
    rows as f64 / (took_ms / 1000.0)
}

/// One row, or several as one atomic batch; returns when they are acknowledged.
async fn publish(client: &async_nats::Client, subject: &str, rows: usize) {
    let payload = Bytes::from(row());
    let batch = uuid::Uuid::now_v7().simple().to_string();
    for row in 1..=rows {
        let mut headers = HeaderMap::new();
        if rows > 1 {
            headers.insert("Nats-Batch-Id", batch.as_str());
            headers.insert("Nats-Batch-Sequence", row.to_string().as_str());
        }
        if row < rows {
            let sent = client
                .publish_with_headers(subject.to_owned(), headers, payload.clone())
                .await;
            sent.expect("a connection");
            continue;
        }
        if rows > 1 {
            headers.insert("Nats-Batch-Commit", "1");
        }
        let stored = client
            .request_with_headers(subject.to_owned(), headers, payload.clone())
            .await;
        let stored = stored.expect("an acknowledgement").payload;
        assert!(
            !stored.windows(7).any(|it| it == b"\"error\""),
            "{}",
            String::from_utf8_lossy(&stored)
        );
    }
}

/// Not all the same, or compression would make it nothing.
fn row() -> String {
    let mut text = String::with_capacity(ROW_BYTES + 36);
    while text.len() < ROW_BYTES {
        text.push_str(&uuid::Uuid::now_v7().to_string());
    }
    text
}

/// Events each second of so many sessions that say so much, until a reader of the projection has all.
async fn through(stage: &Stage, sessions: usize, messages: usize) -> f64 {
    let ids = join_all((0..sessions).map(|_| stage.rested("rehearsal", "say ready"))).await;
    let before = join_all(ids.iter().map(|id| stage.last_seq(id))).await;
    let prompt: String = (0..messages)
        .map(|number| format!("say {number}. It is as I said it would be.\n"))
        .collect();
    let started = stamp::now_us();
    join_all(ids.iter().map(|id| stage.say(id, &prompt))).await;
    // One that was just told something may still be at rest. One after the other: a hundred who ask at once would be a
    // load of their own, and whoever is asked last has long been there.
    for (id, before) in ids.iter().zip(&before) {
        while stage.last_seq(id).await < before + messages as u64 {
            assert!(stamp::now_us() < started + BOUND_US, "{id} did not say all");
            tokio::time::sleep(PAUSE).await;
        }
    }
    let took_ms = ms(started, stamp::now_us());
    let after = join_all(ids.iter().map(|id| stage.last_seq(id))).await;
    let events: u64 = after.iter().sum::<u64>() - before.iter().sum::<u64>();
    join_all(ids.iter().map(|id| stage.stop(id))).await;
    events as f64 / (took_ms / 1000.0)
}
