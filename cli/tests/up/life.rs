//! What is started again, what ends with `up`, and what stays.

use std::process::Command;

use runner::shim::{self, ShimSpec};

use crate::installation::{Installation, Pids, Ready, is_alive, is_gone};

fn kill(pid: i32) {
    let status = Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

async fn all_gone(pids: Pids) {
    is_gone("nats-server", pids.nats).await;
    is_gone("the coordinator", pids.coordinator).await;
    is_gone("the runner", pids.runner.unwrap()).await;
}

async fn is_ready(ready: &Ready) {
    testkit::wait::until("the coordinator", crate::installation::BOUND, async || {
        let answer = reqwest::get(format!("{}/readyz", ready.url))
            .await
            .map_err(|error| error.to_string())?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(answer.status().to_string())
        }
    })
    .await;
}

/// A shim of this installation that holds an agent which does nothing.
async fn agent_of(installation: &Installation) -> shim::Hello {
    let folder = installation.data().join("sessions/by-hand/shim-1");
    std::fs::create_dir_all(&folder).unwrap();
    let mut spec = ShimSpec::new("/bin/sleep", "/", folder.join("socket"));
    spec.args = vec!["600".to_owned()];
    shim::launch(&testkit::flotilla::path(), &spec, &folder)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_part_that_is_killed_comes_back_and_the_ready_file_tells() {
    let mut installation = Installation::new();
    let before = installation.up().await;

    kill(before.pids.coordinator);
    let after = installation
        .ready_when("another coordinator", |it| {
            it.pids.coordinator != before.pids.coordinator
        })
        .await;
    is_ready(&after).await;

    kill(before.pids.runner.unwrap());
    installation
        .ready_when("another runner", |it| it.pids.runner != before.pids.runner)
        .await;

    kill(before.pids.nats);
    let after = installation
        .ready_when("another nats-server", |it| it.pids.nats != before.pids.nats)
        .await;
    is_ready(&after).await;
    assert_eq!((after.url, after.nats_url), (before.url, before.nats_url));
}

#[tokio::test]
async fn ctrl_c_ends_the_parts_and_leaves_the_agents_which_down_ends() {
    let mut installation = Installation::new();
    let ready = installation.up().await;
    let agent = agent_of(&installation).await;
    let (shim, agent) = (
        i32::try_from(agent.shim_pid).unwrap(),
        i32::try_from(agent.agent_pid).unwrap(),
    );

    let said = installation.interrupt().await;
    all_gone(ready.pids).await;
    assert!(said.contains("One agent stays"), "{said}");
    assert!(is_alive(shim) && is_alive(agent), "an agent outlives `up`");

    let output = installation.down();
    assert!(output.status.success(), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("One agent was ended"),
        "{output:?}"
    );
    is_gone("the shim", shim).await;
    is_gone("the agent", agent).await;
}

#[tokio::test]
async fn an_up_under_nohup_outlives_its_terminal() {
    let mut installation = Installation::new();
    let mut command = Command::new("nohup");
    let up = installation.up_command();
    command.arg(up.get_program()).args(up.get_args());
    command.env("HOME", installation.place());
    let ready = installation.start(command).await;
    installation.hang_up();
    // It would have begun to end before it could answer this.
    kill(ready.pids.runner.unwrap());
    let after = installation
        .ready_when("another runner", |it| it.pids.runner != ready.pids.runner)
        .await;
    assert!(is_alive(after.pids.coordinator));
}

#[tokio::test]
async fn down_ends_a_running_up_and_says_when_there_is_none() {
    let mut installation = Installation::new();
    let ready = installation.up().await;
    let output = installation.down();
    assert!(output.status.success(), "{output:?}");
    assert!(installation.ended().await.contains("Flotilla is down"));
    all_gone(ready.pids).await;

    let output = installation.down();
    assert!(output.status.success(), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("Nothing was running"),
        "{output:?}"
    );
}

#[tokio::test]
async fn the_parts_end_with_an_up_that_is_killed_and_the_next_one_takes_over() {
    let mut installation = Installation::new();
    let before = installation.up().await;
    installation.kill().await;
    // At once: it must wait for what the old one left, and not trip over its ports.
    let after = installation.up().await;
    all_gone(before.pids).await;
    assert_eq!(after.url, before.url);
    is_ready(&after).await;
}
