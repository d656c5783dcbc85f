//! The audit is signed by whoever is there, nothing forks, and an export proves itself.

use nats::Timestamp;
use nats::audit::{ActionRecord, AuditPublicKey, Chain, Origin, Report, Verifier, Wanted, Wrong};
use nats::client::Client;
use nats::ids::AuditId;
use nats::stream::AUDIT;
use reqwest::Method;
use testkit::wait;

use crate::support::{BOUND, Fleet, Person};

async fn record(client: &Client) {
    let record = ActionRecord {
        v: 1,
        id: AuditId::new(),
        action: "session.start".to_owned(),
        by: None,
        by_name: Some("Ada".to_owned()),
        session: None,
        command: None,
        subject: "größer als „das“\n".to_owned(),
        at: Timestamp::now(),
        from: Origin::default(),
    };
    client.record_action(&record).await.unwrap();
}

async fn export(person: &Person) -> String {
    let response = person.send(Method::GET, "/api/audit/export", None).await;
    assert_eq!(response.status(), 200);
    response.text().await.unwrap()
}

async fn key(person: &Person) -> AuditPublicKey {
    let answer = person.get("/api/audit/key").await;
    answer["key"].as_str().unwrap().parse().unwrap()
}

fn verify(text: &str, keys: &[&AuditPublicKey]) -> Result<Report, Wrong> {
    let mut verifier = Verifier::new(Wanted {
        keys: keys.iter().map(|key| (*key).clone()).collect(),
        ..Wanted::default()
    });
    verifier.push(text.as_bytes())?;
    verifier.finish()?;
    Ok(verifier.report().clone())
}

/// How many records of those that NATS holds are not signed.
async fn unsigned(client: &Client) -> u64 {
    let last = client.last_sequence(AUDIT).await.unwrap();
    let (mut chain, mut records) = (Chain::default(), client.follow_audit(1));
    while chain.sequence() < last {
        let record = records.recv().await.unwrap();
        chain.take(&record.into()).unwrap();
    }
    chain.unsigned()
}

#[tokio::test]
async fn two_coordinators_sign_one_chain_without_a_fork() {
    let fleet = Fleet::start().await;
    let (one, other) = (fleet.coordinator("a").await, fleet.coordinator("b").await);
    let ada = one.admin().await;
    let bob = ada.at(&other);
    let keys = (key(&ada).await, key(&bob).await);
    assert_ne!(keys.0, keys.1);

    let client = fleet.client().await;
    for _ in 0..5 {
        // More than may stay unsigned, and then both are to sign at the same moment.
        let burst = (0..120).map(|_| record(&client));
        futures::future::join_all(burst).await;
        let (by_one, by_other) = tokio::join!(export(&ada), export(&bob));
        for text in [by_one, by_other] {
            let report = verify(&text, &[&keys.0, &keys.1]).unwrap();
            assert_eq!(report.unsigned, 0, "{report:?}");
        }
    }
    // Each signs the end when it is asked for an export.
    let first = export(&ada).await;
    record(&client).await;
    let second = export(&bob).await;
    record(&client).await;
    let third = export(&ada).await;
    assert!(third.starts_with(&second) && second.starts_with(&first));
    for text in [&first, &second, &third] {
        let report = verify(text, &[&keys.0, &keys.1]).unwrap();
        assert_eq!(report.unsigned, 0, "{report:?}");
    }
    let report = verify(&third, &[]).unwrap();
    assert!(
        report.records > 600 && report.checkpoints >= 7,
        "{report:?}"
    );
    assert_eq!(report.signers.len(), 2, "{report:?}");
    let wrong = verify(&third, &[&keys.0]).unwrap_err();
    assert_eq!(wrong.kind(), "unknown_key");

    // No checkpoint is among what people did.
    let rows = ada.get("/api/audit?limit=500").await;
    let rows = rows["items"].as_array().unwrap();
    assert!(rows.len() == 500);
    assert!(rows.iter().all(|row| row["action"] != "checkpoint"));
}

#[tokio::test]
async fn a_hundred_records_are_signed_without_anybody_asking() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    coordinator.admin().await;
    let client = fleet.client().await;
    futures::future::join_all((0..100).map(|_| record(&client))).await;
    wait::until(
        "a checkpoint behind the last record",
        BOUND,
        async || match unsigned(&client).await {
            few if few < 100 => Ok(()),
            many => Err(format!("{many} are not signed")),
        },
    )
    .await;
}

#[tokio::test]
async fn signing_goes_on_with_one_chain_when_nats_was_killed() {
    let mut fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let ada = coordinator.admin().await;
    let (client, key) = (fleet.client().await, key(&ada).await);
    record(&client).await;
    let before = export(&ada).await;
    fleet.nats.kill();
    fleet.nats.restart().await;
    coordinator.wait_until_ready().await;
    record(&client).await;
    let after = export(&ada).await;
    assert!(after.starts_with(&before));
    let report = verify(&after, &[&key]).unwrap();
    assert_eq!((report.checkpoints, report.unsigned), (2, 0), "{report:?}");
}

#[tokio::test]
async fn a_coordinator_that_ends_signs_what_there_is_and_goes_on_with_its_key() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let ada = coordinator.admin().await;
    let before = key(&ada).await;
    let client = fleet.client().await;
    record(&client).await;
    assert!(unsigned(&client).await > 0, "it is not time yet");
    coordinator.stop().await;
    assert_eq!(unsigned(&client).await, 0);

    record(&client).await;
    let again = fleet.coordinator("a").await;
    let ada = ada.at(&again);
    assert_eq!(key(&ada).await, before);
    let report = verify(&export(&ada).await, &[&before]).unwrap();
    assert_eq!((report.checkpoints, report.unsigned), (2, 0), "{report:?}");

    let path = fleet.folder.path().join("a/audit.nk");
    let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn who_is_not_signed_in_gets_neither_the_audit_nor_its_key() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let nobody = coordinator.anonymous();
    for path in ["/api/audit/export", "/api/audit/key"] {
        assert_eq!(nobody.send(Method::GET, path, None).await.status(), 401);
    }
}
