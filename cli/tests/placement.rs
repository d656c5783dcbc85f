//! Real runners hold to their slots, and a fleet of them fills up as placement says. Contracts pinned here: nothing runs
//! beyond a host's slots, what finds none waits and begins when a host is added, and whoever decides at the same time
//! as another loses and doubles nothing.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::fleet::{BOUND, Fleet, Options, Star};
use testkit::repository::Repository;
use testkit::wait;

const PROMPT: &str = "write made-here.txt hello";

fn shop() -> Repository {
    Repository::new("shop").file("README.md", "# It\n").commit()
}

async fn sessions(fleet: &Fleet) -> Vec<Value> {
    let list = fleet.get("/api/sessions?state=active&limit=500").await;
    list["items"].as_array().unwrap().clone()
}

/// How many sessions each host has; those without one under `none`.
async fn spread(fleet: &Fleet) -> BTreeMap<String, usize> {
    let mut spread = BTreeMap::new();
    for session in sessions(fleet).await {
        let host = session["host"].as_str().unwrap_or("none").to_owned();
        *spread.entry(host).or_default() += 1;
    }
    spread
}

async fn wait_spread(fleet: &Fleet, wanted: &[(&str, usize)]) {
    let wanted: BTreeMap<String, usize> = wanted
        .iter()
        .map(|(host, count)| ((*host).to_owned(), *count))
        .collect();
    wait::until("the sessions to be spread", BOUND, async || {
        let seen = spread(fleet).await;
        if seen == wanted {
            Ok(())
        } else {
            Err(format!("{seen:?}"))
        }
    })
    .await;
}

/// No heartbeat says that more agents run than there are slots.
async fn assert_within_slots(fleet: &Fleet) {
    for host in fleet.get("/api/hosts").await["items"].as_array().unwrap() {
        let (running, slots) = (host["sessions"].as_u64(), host["slots"].as_u64());
        assert!(running <= slots, "{host}");
    }
}

/// As many gates wait as sessions have an agent that asks.
async fn wait_gates(fleet: &Fleet, wanted: usize) -> Vec<Value> {
    wait::until("the gates", BOUND, async || {
        let gates = fleet.get("/api/gates?state=pending&limit=500").await;
        let gates = gates["items"].as_array().unwrap().clone();
        if gates.len() == wanted {
            Ok(gates)
        } else {
            Err(format!("{} gates", gates.len()))
        }
    })
    .await
}

async fn ask(fleet: &Fleet, url: &str) -> String {
    let body = json!({"project": fleet.project().await, "agent": "rehearsal", "prompt": PROMPT});
    let (status, row) = fleet
        .request_at(url, Method::POST, "/api/sessions", Some(body))
        .await;
    assert!(status.is_success(), "{status} {row}");
    row["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_sessions_fill_three_hosts_by_their_size_and_the_rest_begins_when_a_host_is_added() {
    let (fleet, mut star) = Star::start().await;
    let shop = shop();
    let mut runners = Vec::new();
    for (host, slots) in [("vps-1", 4), ("vps-2", 6), ("vps-3", 10)] {
        let network = star.host().await;
        let besides = format!("slots = {slots}");
        runners.push(
            fleet
                .runner_elsewhere_in(Some(&network), host, &[shop.path()], &besides)
                .await,
        );
    }
    let url = fleet.url();
    for _ in 0..10 {
        ask(&fleet, &url).await;
    }
    // Half of each, whatever its size.
    wait_spread(&fleet, &[("vps-1", 2), ("vps-2", 3), ("vps-3", 5)]).await;
    for _ in 0..20 {
        ask(&fleet, &url).await;
    }
    let full = [("vps-1", 4), ("vps-2", 6), ("vps-3", 10)];
    wait_spread(&fleet, &[full.as_slice(), &[("none", 10)]].concat()).await;
    wait_gates(&fleet, 20).await;
    assert_within_slots(&fleet).await;
    let mut positions = wait::until("everybody's place in line", BOUND, async || {
        let waiting = sessions(&fleet).await;
        let places: Vec<u64> = waiting
            .iter()
            .filter_map(|row| row["queue"]["position"].as_u64())
            .collect();
        if places.len() == 10 {
            Ok(places)
        } else {
            Err(format!("{places:?}"))
        }
    })
    .await;
    positions.sort_unstable();
    assert_eq!(positions, (1..=10).collect::<Vec<u64>>());

    let network = star.host().await;
    let added = fleet
        .runner_elsewhere_in(Some(&network), "vps-4", &[shop.path()], "slots = 10")
        .await;
    wait_spread(&fleet, &[full.as_slice(), &[("vps-4", 10)]].concat()).await;
    let gates = wait_gates(&fleet, 30).await;
    assert_within_slots(&fleet).await;
    // One whose turn is over makes room for one more, on its own host: the others are at work.
    let freed = gates.iter().find(|gate| gate["host"] == "vps-2").unwrap();
    fleet.decide(freed, json!({"decision": "allow"})).await;
    fleet
        .wait_state(freed["session"].as_str().unwrap(), &["idle", "asleep"])
        .await;
    let next = ask(&fleet, &url).await;
    fleet.wait_state(&next, &["waiting"]).await;
    let row = fleet.get(&format!("/api/sessions/{next}")).await;
    assert_eq!(row["host"], "vps-2", "{row}");
    fleet
        .wait_state(freed["session"].as_str().unwrap(), &["asleep"])
        .await;
    assert_within_slots(&fleet).await;
    for session in sessions(&fleet).await {
        fleet
            .assert_contiguous(session["id"].as_str().unwrap())
            .await;
    }
    drop((runners, added));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_coordinators_that_place_at_once_run_each_session_once_and_the_runner_keeps_to_its_slots()
 {
    const SESSIONS: usize = 8;
    let shop = shop();
    let fleet = Fleet::start(Options {
        agents: "[runner]\nslots = 2\n".to_owned(),
        projects: vec![shop.path().to_owned()],
        ..Options::default()
    })
    .await;
    let other = fleet.another_coordinator().await;
    let here = fleet.url();
    fleet.project().await;
    // All at once, at both: each sees two free slots.
    let asked = (0..SESSIONS).map(|index| {
        let url = if index % 2 == 0 { &here } else { &other.url };
        ask(&fleet, url)
    });
    let asked: Vec<String> = futures::future::join_all(asked).await;
    for round in 0..SESSIONS {
        let gates = wait_gates(&fleet, 2.min(SESSIONS - round)).await;
        assert_within_slots(&fleet).await;
        let session = gates[0]["session"].as_str().unwrap();
        assert_eq!(fleet.allow_all(session).await, 1);
        fleet
            .post(&format!("/api/sessions/{session}/stop"), json!({}))
            .await;
        fleet.wait_state(session, &["ended"]).await;
    }
    for session in &asked {
        fleet.assert_contiguous(session).await;
        let events = fleet.events(session).await;
        let count = |kind: &str| events.iter().filter(|it| it["type"] == kind).count();
        assert_eq!((count("session.opened"), count("message.user")), (1, 1));
        assert_eq!(count("tool.released"), 1, "{session}");
    }
}
