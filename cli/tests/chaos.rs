//! `make chaos` with one round of the quick cells: the same code, so that what it says of a release can be believed.
//! Contract pinned here: whatever process is killed, at whatever moment, no allowed call is lost or doubled, nothing
//! runs undecided, and nothing is denied that nobody denied.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::time::Duration;

use testkit::chaos::{self, Agent, Fault, Moment, Settings};

async fn hold(faults: &[Fault], moments: &[Moment]) {
    let logs = tempfile::tempdir().unwrap();
    let settings = Settings {
        agents: vec![Agent::Rehearsal],
        faults: faults.to_vec(),
        moments: moments.to_vec(),
        rounds: 1,
        sessions: 2,
        jobs: 1,
        silence: Duration::from_secs(1),
        logs: logs.path().to_owned(),
    };
    let mut said = Vec::new();
    let table = chaos::run(&settings, |line| said.push(line.to_owned())).await;
    assert_eq!(table.violations(), 0, "{}", said.join("\n"));
    for row in &table.rows {
        assert!(row.ran + row.denied > 0, "nothing was seen: {}", row.line());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_host_loses_and_doubles_nothing() {
    hold(
        &[Fault::Agent, Fault::Shim, Fault::Host],
        &[Moment::GateOpen, Moment::ToolRunning],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_in_flight_arrives_whatever_is_killed() {
    hold(
        &[
            Fault::Runner,
            Fault::Coordinator,
            Fault::Nats,
            Fault::Everything,
        ],
        &[Moment::DecisionInFlight],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_is_whole_after_the_runner_or_its_wire_was_away() {
    hold(&[Fault::Runner, Fault::CutOut], &[Moment::MidDelta]).await;
}
