//! Machines whose clocks are hours apart: what one of them began is finished by another all the same.

use std::collections::BTreeMap;

use nats::Timestamp;
use nats::audit::{DecisionRecord, Origin};
use nats::client::Recorded;
use nats::event::{Decision, Verdict};
use nats::ids::{AuditId, GateId, SessionId, UserId};
use nats::record::{Placement, SessionRecord, TokenKind, TokenRecord};
use nats::stream::Bucket;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::{
    Fleet, carried_out, decided, gate_opened, is, next_command, running, state, wait_for_seq,
};

/// Ahead of us, and behind.
const APART_HOURS: [i64; 2] = [5, -5];

fn at(hours: i64) -> Timestamp {
    Timestamp::from_milliseconds(Timestamp::now().milliseconds() + hours * 60 * 60 * 1000)
}

#[tokio::test]
async fn a_decision_and_a_start_of_a_coordinator_with_another_clock_are_sent_by_us() {
    let fleet = Fleet::start().await;
    let (_coordinator, ada, mut host, session) = running(&fleet).await;
    let mut feed = host.commands();
    assert!(is(&next_command(&mut feed).await, "session.start"));
    host.open(session).await;
    for hours in APART_HOURS {
        let gate = GateId::new();
        host.tell(
            session,
            [gate_opened(gate), state(nats::event::State::Waiting)],
        )
        .await;
        let row = ada.get(&format!("/api/gates/{gate}")).await;
        let record = DecisionRecord {
            v: 1,
            id: AuditId::new(),
            gate,
            session,
            host: host.name.clone(),
            epoch: 1,
            tool: "Bash".to_owned(),
            summary: "Run a command in shop".to_owned(),
            decision: Decision {
                verdict: Verdict::Allow,
                reason: None,
                input: None,
                answers: None,
                input_hash: row["input_hash"].as_str().unwrap().to_owned(),
                by: UserId::new(),
                by_name: "Bob".to_owned(),
                at: at(hours),
            },
            from: Origin::default(),
        };
        // The record alone: its coordinator died before it sent the command.
        let recorded = host.client.record_decision(&record).await.unwrap();
        assert_eq!(recorded, Recorded::First);
        let order = next_command(&mut feed).await;
        assert_eq!(order.id, gate.command(), "{hours} hours");
        let decision = decided(&order).unwrap().decision.clone();
        host.tell(session, carried_out(gate, decision)).await;
        let settled = ada
            .wait_for(&format!("/api/gates/{gate}"), "the receipt", |row| {
                row["receipts"]["delivered_at"].is_string()
            })
            .await;
        assert_eq!(settled["state"], "decided");

        let record = SessionRecord {
            session: SessionId::new(),
            host: host.name.clone(),
            epoch: 1,
            project: "prj-shop".to_owned(),
            agent: "rehearsal".to_owned(),
            title: "left behind".to_owned(),
            created_at: at(hours),
            created_by: UserId::new(),
            base: None,
            labels: BTreeMap::new(),
            first_seq: 1,
            prompt: None,
            prompt_id: None,
            imported: None,
            placement: Placement::default(),
        };
        let records = host.client.records(Bucket::Sessions);
        let key = record.session.to_string();
        records.create(&key, &record).await.unwrap();
        let order = next_command(&mut feed).await;
        assert_eq!(order.id, record.session.start_command(), "{hours} hours");
        host.open(record.session).await;
        wait_for_seq(&ada, record.session, 2).await;
    }
}

#[tokio::test]
async fn who_was_let_in_by_a_coordinator_with_another_clock_is_in() {
    let fleet = Fleet::start().await;
    let (_coordinator, ada, host, _session) = running(&fleet).await;
    let me: Value = ada.get("/api/auth/me").await;
    let user: UserId = me["id"].as_str().unwrap().parse().unwrap();
    let month = 30 * 24;
    for hours in APART_HOURS {
        let secret = format!("a secret of a browser, {hours} hours apart");
        let record = TokenRecord {
            token: nats::ids::TokenId::new(),
            user,
            name: "browser".to_owned(),
            kind: TokenKind::Browser,
            created_at: at(hours),
            expires_at: Some(at(hours + month)),
        };
        let key = hex::encode(Sha256::digest(&secret));
        let tokens = host.client.records(Bucket::Tokens);
        tokens.create(&key, &record).await.unwrap();
        let mut browser = ada.clone();
        browser.token = Some(secret);
        assert_eq!(browser.get("/api/auth/me").await["id"], me["id"]);
    }
}
