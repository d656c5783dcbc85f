//! The typed client against the real nats-server. Contracts pinned here:
//! fencing by the last sequence, batches all or none, commands and decisions sent once, records, objects, and
//! following a stream across a restart of the server.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::time::Duration;

use nats::client::{
    Change, Entry, EventRow, From, Options, PublishError, Recorded, Sent, WriteError,
};
use nats::command::{Order, TurnInterrupt};
use nats::event::{Decision, Verdict};
use nats::ids::{CommandId, EventId, GateId, HostName, SessionId, UserId};
use nats::record::Presence;
use nats::seal::{CommandKey, Commanders};
use nats::stream::{self, Bucket};
use nats::{Client, Envelope, Timestamp, Wire, audit, subject};
use testkit::nats_server::NatsServer;
use testkit::wait;

const BOUND: Duration = Duration::from_secs(20);

async fn fleet() -> (NatsServer, Client, HostName) {
    let server = NatsServer::start().await;
    let client = connect(&server).await;
    client.ensure(1).await.unwrap();
    let host: HostName = "vps-1".parse().unwrap();
    client.ensure_host(&host, 1).await.unwrap();
    (server, client, host)
}

async fn connect(server: &NatsServer) -> Client {
    let options = Options {
        url: server.url(),
        credentials: None,
        name: "test".into(),
        inbox_prefix: "_INBOX_test".into(),
    };
    let client = Client::connect(options).await.unwrap();
    client.connected().await;
    client
}

fn rows(
    host: &HostName,
    session: SessionId,
    epoch: u64,
    seqs: std::ops::RangeInclusive<u64>,
) -> Vec<EventRow> {
    seqs.map(|seq| {
        let envelope = Envelope {
            v: 1,
            id: EventId::new(),
            session,
            host: host.clone(),
            epoch,
            seq,
            at: Timestamp::now(),
            object: None,
            body: Wire::Known(
                nats::event::Warning {
                    code: "test".into(),
                    message: "m".into(),
                    hint: None,
                }
                .into(),
            ),
        };
        EventRow {
            epoch,
            seq,
            event_type: "warning".into(),
            body: serde_json::to_vec(&envelope).unwrap().into(),
        }
    })
    .collect()
}

fn order(host: &HostName, session: SessionId, id: CommandId) -> Order {
    Order {
        v: 1,
        id,
        session,
        host: host.clone(),
        epoch: 1,
        at: Timestamp::now(),
        by: None,
        body: Wire::Known(TurnInterrupt {}.into()),
    }
}

#[tokio::test]
async fn a_former_owner_is_refused_by_the_server() {
    let (_server, client, host) = fleet().await;
    let session = SessionId::new();
    let (stored, last, result) = client
        .publish_events(&host, session, 0, &rows(&host, session, 1, 1..=3), true)
        .await;
    assert_eq!((stored, result), (3, Ok(())));
    let (stored, _, refusal) = client
        .publish_events(&host, session, 0, &rows(&host, session, 1, 1..=1), true)
        .await;
    assert_eq!((stored, refusal), (0, Err(PublishError::WrongLastSequence)));
    let (_, _, refusal) = client
        .publish_events(&host, session, 0, &rows(&host, session, 1, 1..=100), true)
        .await;
    assert_eq!(
        refusal,
        Err(PublishError::WrongLastSequence),
        "a batch is fenced as well"
    );
    let newest = client.last_event(&host, session).await.unwrap().unwrap();
    assert_eq!((newest.seq, newest.stream_sequence), (3, last));
}

#[tokio::test]
async fn a_batch_is_stored_whole_and_in_order() {
    let (_server, client, host) = fleet().await;
    let session = SessionId::new();
    let (stored, last, result) = client
        .publish_events(&host, session, 0, &rows(&host, session, 1, 1..=300), true)
        .await;
    assert_eq!((stored, result), (300, Ok(())));
    let (stored, _, _) = client
        .publish_events(
            &host,
            session,
            last,
            &rows(&host, session, 1, 301..=302),
            true,
        )
        .await;
    assert_eq!(stored, 2);
    let mut follower = client.follow(stream::EVENTS, subject::ALL_EVENTS, From::Sequence(1));
    for seq in 1..=302 {
        let message = follower.recv().await.unwrap();
        let envelope: Envelope = serde_json::from_slice(&message.payload).unwrap();
        assert_eq!(envelope.seq, seq);
    }
}

#[tokio::test]
async fn another_host_cannot_stop_a_session_by_writing_in_its_name() {
    let (_server, client, host) = fleet().await;
    let session = SessionId::new();
    let other: HostName = "vps-2".parse().unwrap();
    let (_, last, _) = client
        .publish_events(&host, session, 0, &rows(&host, session, 1, 1..=1), true)
        .await;
    client
        .publish_events(&other, session, 0, &rows(&other, session, 1, 1..=1), true)
        .await
        .2
        .unwrap();
    let (stored, _, _) = client
        .publish_events(&host, session, last, &rows(&host, session, 1, 2..=2), true)
        .await;
    assert_eq!(stored, 1);
}

#[tokio::test]
async fn a_command_is_queued_once_and_comes_again_until_it_is_acknowledged() {
    let (_server, client, host) = fleet().await;
    let (session, id) = (SessionId::new(), CommandId::new());
    let key = CommandKey::generate();
    let commanders: Commanders = [key.public().clone()].into_iter().collect();
    assert_eq!(
        client
            .send_command(&key, &order(&host, session, id))
            .await
            .unwrap(),
        Sent::New
    );
    assert_eq!(
        client
            .send_command(&key, &order(&host, session, id))
            .await
            .unwrap(),
        Sent::Already
    );
    let mut feed = client.commands(&host);
    let delivery = feed.next().await.unwrap();
    assert_eq!(delivery.order(&commanders).unwrap().id, id);
    delivery.postpone().await.unwrap();
    let again = feed.next().await.unwrap();
    assert_eq!(again.order(&commanders).unwrap().id, id);
    again.acknowledge().await.unwrap();
    let next = CommandId::new();
    client
        .send_command(&key, &order(&host, session, next))
        .await
        .unwrap();
    assert_eq!(
        feed.next().await.unwrap().order(&commanders).unwrap().id,
        next
    );
}

#[tokio::test]
async fn the_first_of_many_decisions_wins_and_the_others_read_it() {
    let (_server, client, host) = fleet().await;
    let gate = GateId::new();
    let record = |name: &str| audit::DecisionRecord {
        v: 1,
        id: nats::ids::AuditId::new(),
        gate,
        session: SessionId::from_uuid(gate.uuid()),
        host: host.clone(),
        epoch: 1,
        tool: "Bash".into(),
        summary: "Run `ls`".into(),
        decision: Decision {
            verdict: Verdict::Allow,
            reason: None,
            input: None,
            answers: None,
            input_hash: "h".into(),
            by: UserId::new(),
            by_name: name.into(),
            at: Timestamp::now(),
        },
        from: audit::Origin::default(),
    };
    let records: Vec<_> = (0..8).map(|n| record(&format!("person {n}"))).collect();
    let recorded =
        futures::future::join_all(records.iter().map(|record| client.record_decision(record)))
            .await;
    let winners: Vec<_> = records
        .iter()
        .zip(&recorded)
        .filter(|(_, it)| matches!(it, Ok(Recorded::First)))
        .collect();
    assert_eq!(winners.len(), 1);
    for it in &recorded {
        if let Ok(Recorded::Already(winner)) = it {
            assert_eq!(**winner, *winners[0].0);
        }
    }
    assert_eq!(
        client.record_decision(winners[0].0).await.unwrap(),
        Recorded::Before(Box::new(winners[0].0.clone())),
        "sending the same again is no loss"
    );
}

#[tokio::test]
async fn a_record_is_changed_only_by_who_knows_its_revision() {
    let (_server, client, _host) = fleet().await;
    let records = client.records::<String>(Bucket::Hosts);
    let first = records.create("a", &"one".to_owned()).await.unwrap();
    assert!(matches!(
        records.create("a", &"two".to_owned()).await,
        Err(WriteError::Conflict)
    ));
    let second = records.update("a", &"two".to_owned(), first).await.unwrap();
    assert!(matches!(
        records.update("a", &"three".to_owned(), first).await,
        Err(WriteError::Conflict)
    ));
    assert_eq!(
        records.get("a").await.unwrap(),
        Some(Entry {
            revision: second,
            value: "two".to_owned()
        })
    );
    records.delete("a").await.unwrap();
    assert_eq!(records.get("a").await.unwrap(), None);
    records.create("a", &"again".to_owned()).await.unwrap();
}

#[tokio::test]
async fn a_heartbeat_that_stops_is_told_to_watchers() {
    let (_server, client, host) = fleet().await;
    let records = client.records::<Presence>(Bucket::Presence);
    let mut changes = records.watch();
    assert_eq!(
        changes.recv().await.unwrap(),
        Change::UpToDate,
        "an empty bucket is up to date"
    );
    let presence = Presence {
        host: host.clone(),
        at: Timestamp::now(),
        load: 0.5,
        memory_free_bytes: 1,
        sessions: 0,
        commands_refused: 0,
        slots: None,
        memory_pressure: None,
    };
    records
        .put_for(host.as_str(), &presence, Duration::from_secs(1))
        .await
        .unwrap();
    assert!(matches!(changes.recv().await.unwrap(), Change::Put { key, .. } if key == "vps-1"));
    let gone = tokio::time::timeout(BOUND, changes.recv())
        .await
        .unwrap()
        .unwrap();
    assert!(matches!(gone, Change::Gone { key, .. } if key == "vps-1"));
}

#[tokio::test]
async fn an_object_comes_back_as_it_went_and_a_wrong_hash_is_found() {
    let (_server, client, host) = fleet().await;
    let bytes: Vec<u8> = (0..900_000_u32)
        .flat_map(u32::to_le_bytes)
        .take(900_000)
        .collect();
    let mut reference = client
        .put_object(&host, "events/é 1.json", &bytes)
        .await
        .unwrap();
    assert_eq!(client.object(&reference).await.unwrap(), bytes);
    reference.sha256 = "0".repeat(64);
    assert!(client.object(&reference).await.is_err());
}

#[tokio::test]
async fn following_goes_on_across_a_restart_without_a_hole_or_a_double() {
    let (mut server, client, host) = fleet().await;
    let session = SessionId::new();
    let mut follower = client.follow(stream::EVENTS, subject::ALL_EVENTS, From::Sequence(1));
    let (_, last, _) = client
        .publish_events(&host, session, 0, &rows(&host, session, 1, 1..=20), true)
        .await;
    for seq in 1..=20 {
        let envelope: Envelope =
            serde_json::from_slice(&follower.recv().await.unwrap().payload).unwrap();
        assert_eq!(envelope.seq, seq);
    }
    server.kill();
    server.restart().await;
    let published = wait::until("the next event to be stored", BOUND, async || {
        match client
            .publish_events(
                &host,
                session,
                last,
                &rows(&host, session, 1, 21..=21),
                true,
            )
            .await
        {
            (1, _, Ok(())) => Ok(()),
            // A publish whose answer was lost is found by reading the last event, as the relay does.
            (_, _, Err(PublishError::WrongLastSequence)) => Ok(()),
            (_, _, other) => Err(format!("{other:?}")),
        }
    });
    published.await;
    let message = tokio::time::timeout(BOUND, follower.recv())
        .await
        .unwrap()
        .unwrap();
    let envelope: Envelope = serde_json::from_slice(&message.payload).unwrap();
    assert_eq!(envelope.seq, 21);
}
