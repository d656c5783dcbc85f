//! How hosts join: a token lets one machine in once, and whoever comes with another is told why not.

use std::path::Path;

use nats::Timestamp;
use nats::client::Records;
use nats::credentials::{HostKey, jwt};
use nats::enrolment::{EnrolmentRecord, EnrolmentToken, Fingerprint};
use nats::renewal;
use nats::stream::Bucket;
use serde_json::{Value, json};

use crate::support::{Coordinator, Fleet, Person};

async fn invited(ada: &Person, host: &str) -> (EnrolmentToken, Value) {
    let (status, made) = ada
        .post(
            "/api/enrolments",
            json!({"host": host, "labels": {"pool": "fast"}}),
        )
        .await;
    assert_eq!(status, 201, "{made}");
    (made["token"].as_str().unwrap().parse().unwrap(), made)
}

async fn joins(at: &Coordinator, token: &str, key: &HostKey) -> (u16, Value) {
    let body = json!({"token": token, "public_key": key.public()});
    at.anonymous().post("/api/enrol", body).await
}

/// A refusal's code, once its sentence and hint are there.
fn code(refused: &(u16, Value)) -> (u16, &str) {
    let error = &refused.1["error"];
    for part in ["message", "hint"] {
        assert!(
            error[part].as_str().is_some_and(|text| text.ends_with('.')),
            "{error}"
        );
    }
    (refused.0, error["code"].as_str().unwrap())
}

#[tokio::test]
async fn a_token_lets_one_machine_in_once_whichever_coordinator_it_asks() {
    let fleet = Fleet::start().await;
    let (one, two) = (fleet.coordinator("a").await, fleet.coordinator("b").await);
    let ada = one.admin().await;
    let (token, made) = invited(&ada, "vps-7").await;
    let command = made["command"].as_str().unwrap();
    let expected = format!(
        "flotilla runner enrol {} {} --start",
        one.url,
        token.reveal()
    );
    assert_eq!(command, expected);
    assert!(made["qr"]["size"].as_u64().unwrap() > 20);

    let (ours, other) = (HostKey::generate(), HostKey::generate());
    let (status, let_in) = joins(&two, &token.reveal(), &ours).await;
    assert_eq!(
        (status, &let_in["host"]),
        (200, &json!("vps-7")),
        "{let_in}"
    );
    assert_eq!(let_in["labels"], json!({"pool": "fast"}));
    let keys: Vec<_> = serde_json::from_value(let_in["command_keys"].clone()).unwrap();
    assert_eq!(Fingerprint::of(&keys), token.fingerprint);
    let claims = jwt::claims(let_in["jwt"].as_str().unwrap()).unwrap();
    assert_eq!(claims["sub"], json!(ours.public()));
    assert_eq!(claims["name"], "vps-7");
    let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(life, 30 * 24 * 60 * 60);
    assert!(
        claims["nats"].get("pub").is_none(),
        "its rights are the account's to say"
    );

    // Its answer was lost: the same machine may ask once more, and nobody else.
    assert_eq!(joins(&one, &token.reveal(), &ours).await.0, 200);
    let used = joins(&one, &token.reveal(), &other).await;
    assert_eq!(code(&used), (409, "token_used"));
    // The name is taken now, for another token as well.
    let (status, refused) = ada.post("/api/enrolments", json!({"host": "vps-7"})).await;
    assert_eq!(code(&(status, refused)), (409, "host_exists"));
}

#[tokio::test]
async fn of_two_machines_with_one_token_or_one_name_one_is_let_in() {
    let fleet = Fleet::start().await;
    let (one, two) = (fleet.coordinator("a").await, fleet.coordinator("b").await);
    let ada = one.admin().await;
    for (first, second) in [
        {
            let (token, _) = invited(&ada, "vps-1").await;
            (token.clone(), token)
        },
        (
            invited(&ada, "vps-2").await.0,
            invited(&ada, "vps-2").await.0,
        ),
    ] {
        let keys = [HostKey::generate(), HostKey::generate()];
        let (first, second) = (first.reveal(), second.reveal());
        let (here, there) = tokio::join!(
            joins(&one, &first, &keys[0]),
            joins(&two, &second, &keys[1])
        );
        let mut statuses = [here.0, there.0];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{here:?} {there:?}");
    }
}

#[tokio::test]
async fn each_wrong_token_gets_its_own_words_and_is_written_down() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let ada = coordinator.admin().await;
    let key = HostKey::generate();
    let (token, _) = invited(&ada, "vps-1").await;

    let mut mistyped = token.reveal();
    mistyped.pop();
    let refused = joins(&coordinator, &mistyped, &key).await;
    assert_eq!(code(&refused), (422, "not_a_token"));
    assert!(
        refused.1["error"]["message"]
            .as_str()
            .unwrap()
            .contains("not whole")
    );

    let stranger = EnrolmentToken::new("vps-1".parse().unwrap(), &[]);
    let refused = joins(&coordinator, &stranger.reveal(), &key).await;
    assert_eq!(code(&refused), (401, "unknown_token"));

    let mut aimed = token.clone();
    aimed.host = "vps-2".parse().unwrap();
    let refused = joins(&coordinator, &aimed.reveal(), &key).await;
    assert_eq!(code(&refused), (403, "token_of_another_host"));

    let records: Records<EnrolmentRecord> = fleet.client().await.records(Bucket::Enrolments);
    let kept = records.get(&token.key()).await.unwrap().unwrap();
    let late = EnrolmentRecord {
        expires_at: Timestamp::from_milliseconds(1),
        ..kept.value
    };
    records
        .update(&token.key(), &late, kept.revision)
        .await
        .unwrap();
    let refused = joins(&coordinator, &token.reveal(), &key).await;
    assert_eq!(code(&refused), (410, "token_expired"));

    let entries = ada
        .wait_for("/api/audit?limit=50", "what was refused", |audit| {
            let refused = |row: &&Value| row["action"] == "host.enrol.refused";
            audit["items"]
                .as_array()
                .unwrap()
                .iter()
                .filter(refused)
                .count()
                == 4
        })
        .await;
    let text = entries.to_string();
    assert!(!text.contains(&token.reveal()), "{text}");
}

#[tokio::test]
async fn who_guesses_tokens_has_to_wait() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let ada = coordinator.admin().await;
    let key = HostKey::generate();
    for _ in 0..5 {
        assert_eq!(joins(&coordinator, "flt-enrol.x", &key).await.0, 422);
    }
    let (token, _) = invited(&ada, "vps-1").await;
    let refused = joins(&coordinator, &token.reveal(), &key).await;
    assert_eq!(code(&refused), (429, "too_many_attempts"));
}

#[tokio::test]
async fn a_name_that_cannot_be_used_is_told_before_any_token_is_made() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let host = fleet.host("vps-1").await;
    let ada = coordinator.admin().await;
    ada.wait_for("/api/hosts", "the host", |hosts| {
        hosts["items"][0]["host"] == json!(host.name)
    })
    .await;
    for (body, expected) in [
        (json!({"host": "VPS 1"}), (422, "invalid_body")),
        (json!({"host": "imported"}), (422, "invalid_body")),
        (json!({"host": "vps-1"}), (409, "host_exists")),
        (
            json!({"host": "vps-2", "labels": {"": "x"}}),
            (422, "invalid_body"),
        ),
    ] {
        let refused = ada.post("/api/enrolments", body).await;
        assert_eq!(code(&refused), expected, "{refused:?}");
    }
    let nobody = coordinator.anonymous();
    let (status, _) = nobody
        .post("/api/enrolments", json!({"host": "vps-2"}))
        .await;
    assert_eq!(status, 401);
    assert!(Path::new(&fleet.authority()).join("hosts.nk").is_file());
}

#[tokio::test]
async fn who_is_revoked_gets_no_new_token_from_any_coordinator_and_no_revocation_is_lost() {
    let fleet = Fleet::start().await;
    let (one, two) = (fleet.coordinator("a").await, fleet.coordinator("b").await);
    let ada = one.admin().await;
    let bob = ada.at(&two);
    let keys = [HostKey::generate(), HostKey::generate()];
    for (name, key) in ["vps-1", "vps-2"].into_iter().zip(&keys) {
        let (token, _) = invited(&ada, name).await;
        assert_eq!(joins(&one, &token.reveal(), key).await.0, 200);
    }
    let (here, there) = tokio::join!(
        ada.post("/api/hosts/vps-1/revoke", json!({})),
        bob.post("/api/hosts/vps-2/revoke", json!({})),
    );
    assert_eq!((here.0, there.0), (200, 200), "{here:?} {there:?}");
    // Again, elsewhere: the first one stands.
    let (_, again) = bob.post("/api/hosts/vps-1/revoke", json!({})).await;
    assert_eq!(again["revoked_at"], here.1["revoked_at"]);

    for (name, key) in ["vps-1", "vps-2"].into_iter().zip(&keys) {
        for coordinator in [&one, &two] {
            let machine = coordinator.anonymous();
            let (_, told) = machine.post("/api/renewals/nonce", json!({})).await;
            let nonce = told["nonce"].as_str().unwrap();
            let signature = renewal::prove(key, &name.parse().unwrap(), nonce).unwrap();
            let proof = json!({"host": name, "nonce": nonce, "signature": signature});
            let refused = machine.post("/api/renewals", proof).await;
            assert_eq!(code(&refused), (403, "host_revoked"));
        }
    }
    let refused = ada.post("/api/hosts/vps-9/revoke", json!({})).await;
    assert_eq!(code(&refused), (409, "not_enrolled"));
}

#[tokio::test]
async fn a_host_that_proves_itself_gets_a_new_token_and_nobody_else_does() {
    let fleet = Fleet::start().await;
    let coordinator = fleet.coordinator("a").await;
    let ada = coordinator.admin().await;
    let (key, other) = (HostKey::generate(), HostKey::generate());
    let (token, _) = invited(&ada, "vps-1").await;
    assert_eq!(joins(&coordinator, &token.reveal(), &key).await.0, 200);

    let machine = coordinator.anonymous();
    let host = "vps-1".parse().unwrap();
    let nonce = async || {
        let (_, told) = machine.post("/api/renewals/nonce", json!({})).await;
        told["nonce"].as_str().unwrap().to_owned()
    };
    let fresh = nonce().await;
    let proof = |key: &HostKey, name: &str, nonce: &str| {
        let signature = renewal::prove(key, &host, nonce).unwrap();
        json!({"host": name, "nonce": nonce, "signature": signature})
    };
    let (status, renewed) = machine
        .post("/api/renewals", proof(&key, "vps-1", &fresh))
        .await;
    assert_eq!(status, 200, "{renewed}");
    let claims = jwt::claims(renewed["jwt"].as_str().unwrap()).unwrap();
    assert_eq!(claims["sub"], json!(key.public()));

    for (proof, expected) in [
        (proof(&other, "vps-1", &fresh), (401, "not_this_host")),
        (proof(&key, "vps-2", &fresh), (401, "not_this_host")),
        (proof(&key, "vps-1", "1.aa.bb"), (401, "stale_nonce")),
    ] {
        let refused = machine.post("/api/renewals", proof).await;
        assert_eq!(code(&refused), expected);
    }
}
