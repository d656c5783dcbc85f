//! What a server may do to a relay beside dying: forget, fill up, refuse batches, hold somebody else's event.

use std::path::Path;

use async_nats::jetstream::{self, stream::Config};

use super::*;

/// A plain connection, for what the fleet's own client never does.
async fn plain(server: &NatsServer) -> async_nats::Client {
    async_nats::connect(server.url()).await.unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_put_back_to_an_older_state_gets_everything_again() {
    let mut station = Station::start().await;
    station.append(120);
    station.wait_reached(Reached::UpTo(120)).await;
    station.server.stop().await;
    let backup = tempfile::tempdir().unwrap();
    copy(&station.server.store(), backup.path());
    station.server.restart().await;
    station.append(70);
    station.wait_reached(Reached::UpTo(190)).await;
    station.server.stop().await;
    std::fs::remove_dir_all(station.server.store()).unwrap();
    copy(backup.path(), &station.server.store());
    station.server.restart().await;
    // Nothing new is written: the relay finds out by itself, and nobody is taken for a successor.
    wait::until("the server to have everything again", BOUND, async || {
        let Identity { session, host, .. } = &station.identity;
        match station.client.last_event(host, *session).await {
            Ok(Some(last)) if last.seq == 190 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let expected: Vec<u64> = (1..=190).collect();
    assert_eq!(station.stored(190).await, expected);
    station.wait_reached(Reached::UpTo(190)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_a_full_stream_does_not_take_are_kept_and_sent_when_there_is_room() {
    let mut station = Station::start().await;
    station.append(3);
    station.wait_reached(Reached::UpTo(3)).await;
    let context = jetstream::new(plain(&station.server).await);
    let mut stream = context.get_stream(stream::EVENTS).await.unwrap();
    let config = stream.info().await.unwrap().config.clone();
    let full = Config {
        max_messages: 5,
        ..config.clone()
    };
    context.update_stream(full).await.unwrap();
    // Singles until it is full, and a batch that does not fit at all.
    station.append(4);
    station.wait_reached(Reached::UpTo(5)).await;
    station.append(40);
    context.update_stream(config).await.unwrap();
    station.wait_reached(Reached::UpTo(47)).await;
    let expected: Vec<u64> = (1..=47).collect();
    assert_eq!(station.stored(47).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_server_refuses_batches_rows_go_one_by_one() {
    let mut station = Station::start().await;
    station.append(1);
    station.wait_reached(Reached::UpTo(1)).await;
    let plain = plain(&station.server).await;
    // Begun and never committed: as many as a stream keeps open.
    let other = SessionId::new();
    let mut refused = false;
    for number in 0..60 {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Nats-Batch-Id", format!("abandoned-{number}").as_str());
        headers.insert("Nats-Batch-Sequence", "1");
        let subject = subject::event(&station.identity.host, other, "warning");
        let reply = plain
            .request_with_headers(subject, headers, "{}".into())
            .await
            .unwrap();
        refused |= String::from_utf8_lossy(&reply.payload).contains("10210");
    }
    assert!(refused, "the server keeps that many batches open");
    station.append(100);
    station.wait_reached(Reached::UpTo(101)).await;
    let expected: Vec<u64> = (1..=101).collect();
    assert_eq!(station.stored(101).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_there_before_the_row_that_speaks_of_it() {
    let mut station = Station::start().await;
    let host = station.identity.host.clone();
    let name = format!("events/{}/1.json", station.identity.session);
    let whole = vec![b'x'; 700 * 1024];
    let objects = station._folder.path().join("objects");
    std::fs::create_dir_all(&objects).unwrap();
    std::fs::write(objects.join("1.json"), &whole).unwrap();
    let row = Row {
        object: Some(name.clone()),
        ..station.row(1)
    };
    station.append_rows(&[row]);
    // Without a bucket the object cannot be stored, and so the row must not leave.
    let early = station
        .client
        .last_event(&host, station.identity.session)
        .await
        .unwrap();
    assert_eq!(early, None);
    station.client.ensure_host(&host, 1).await.unwrap();
    station.wait_reached(Reached::UpTo(1)).await;
    let reference = nats::event::ObjectReference {
        bucket: stream::object_bucket(&host),
        name,
        bytes: whole.len() as u64,
        sha256: hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&whole)),
    };
    assert_eq!(station.client.object(&reference).await.unwrap(), whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_under_our_own_epoch_that_is_not_in_our_log_is_somebody_elses() {
    let mut station = Station::start().await;
    station.append(5);
    station.wait_reached(Reached::UpTo(5)).await;
    station.token.cancel();
    let last = station
        .client
        .last_event(&station.identity.host, station.identity.session)
        .await
        .unwrap()
        .unwrap();
    // As who closes a session that moves does it: the next number, under the epoch that ends.
    let body = serde_json::to_vec(&envelope(&station.identity, 1, 6)).unwrap();
    let closing = EventRow {
        epoch: 1,
        seq: 6,
        event_type: "warning".into(),
        body: body.into(),
    };
    let (stored, _, _) = station
        .client
        .publish_events(
            &station.identity.host,
            station.identity.session,
            last.stream_sequence,
            &[closing],
            false,
        )
        .await;
    assert_eq!(stored, 1);
    station.append(3);
    station.start_relay();
    station.wait_reached(Reached::FormerOwner).await;
    assert_eq!(station.stored(10).await, [1, 2, 3, 4, 5, 6]);
}
