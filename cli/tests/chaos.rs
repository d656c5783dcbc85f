//! `make chaos` with one round of the quick cells: the same code, so that what it says of a release can be believed.
//! Contract pinned here: whatever process is killed, at whatever moment, no allowed call is lost or doubled, nothing
//! runs undecided, and nothing is denied that nobody denied.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::time::Duration;

use testkit::chaos::{
    self, Agent, Clock, Fault, FileSystem, Line, Machine, Moment, Settings, Silences, Step, Table,
    Told,
};
use tokio_util::sync::CancellationToken;

async fn hold(faults: &[Fault], moments: &[Moment]) {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        agents: vec![Agent::Rehearsal],
        faults: faults.to_vec(),
        moments: moments.to_vec(),
        rounds: 1,
        sessions: 2,
        jobs: 1,
        waiting: 1,
        silences: Silences::all(Duration::from_secs(1)),
        folder: folder.path().to_owned(),
    };
    let mut lines: Vec<Line> = Vec::new();
    chaos::run(
        &settings,
        &[],
        &CancellationToken::new(),
        |told| match told {
            Told::Line(line) => lines.push(line),
            Told::Progress(_) => {}
            Told::Broken(words) => panic!("{words}"),
        },
    )
    .await;
    let table = Table::of(&lines);
    assert_eq!(table.violations(), 0, "{lines:#?}");
    assert_eq!(table.rows.len(), faults.len() * moments.len(), "{lines:#?}");
    for (place, row) in &table.rows {
        let cell = &place.cell;
        assert_eq!(row.rounds, 1, "{cell:?} was not struck: {lines:#?}");
        assert!(
            row.seen.ran + row.seen.denied > 0,
            "nothing was seen at {cell:?}"
        );
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

#[tokio::test(flavor = "multi_thread")]
async fn whoever_uses_two_coordinators_does_not_notice_that_one_is_killed() {
    hold(&[Fault::OneCoordinator], &[Moment::DecisionInFlight]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_finds_its_way_after_the_network_of_the_host_was_cut() {
    hold(&[Fault::LinkCut], &[Moment::DecisionInFlight]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_was_shown_survives_a_power_cut_of_its_host() {
    // Others cannot mount; `make chaos` of theirs lists the power cuts as not run.
    if rustix::process::geteuid().is_root() {
        let cut = Fault::Power(Machine::Host, FileSystem::Xfs);
        hold(&[cut], &[Moment::GateOpen]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_ahead_loses_no_decision() {
    let step = Fault::Clock(Clock::Coordinator, Step::Forward);
    hold(&[step], &[Moment::DecisionInFlight]).await;
}
