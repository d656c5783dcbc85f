//! What a person is told when `up` cannot start: one clear sentence, a hint, and the exit code that fits.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::installation::Installation;

/// Runs it to its end, which must be a refusal with this code; gives what it said.
fn refused(mut command: Command, code: i32) -> String {
    let Output {
        status,
        stderr,
        stdout,
    } = command.output().unwrap();
    let said = String::from_utf8_lossy(&stderr).into_owned();
    assert_eq!(status.code(), Some(code), "{said}");
    assert!(said.starts_with("flotilla: "), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    assert!(stdout.is_empty(), "{}", String::from_utf8_lossy(&stdout));
    said
}

fn script(place: &Path, name: &str, text: &str) -> PathBuf {
    let path = place.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// `flotilla` where no checkout is above it, so that only PATH can have a nats-server.
fn far_from_home(installation: &Installation, path: &Path) -> Command {
    let far = installation.place().join("flotilla");
    let original = testkit::flotilla::path();
    if std::fs::hard_link(&original, &far).is_err() {
        std::fs::copy(&original, &far).unwrap();
    }
    let mut command = Command::new(far);
    command
        .args(["up", "--listen", "127.0.0.1:0", "--data"])
        .arg(installation.data())
        .env("PATH", path)
        .env_remove("FLOTILLA_NATS_SERVER");
    command
}

#[tokio::test]
async fn a_second_up_on_one_folder_is_told_of_the_first() {
    let mut installation = Installation::new();
    let ready = installation.up().await;
    let said = refused(installation.up_command(), 75);
    assert!(said.contains("another `flotilla up` runs on"), "{said}");
    assert!(said.contains("flotilla down"), "{said}");
    // The first one does not notice.
    assert_eq!(
        installation.ready_when("the same parts", |_| true).await,
        ready
    );
}

#[test]
fn a_port_that_is_taken_is_named() {
    let installation = Installation::new();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let mut command = installation.command(&["up", "--listen", &address.to_string(), "--data"]);
    command.arg(installation.data());
    let said = refused(command, 75);
    assert!(
        said.contains(&format!("port {} (for browsers) is taken", address.port())),
        "{said}"
    );
    assert!(said.contains("--listen"), "{said}");
}

#[test]
fn a_machine_without_nats_server_is_told_how_to_get_one() {
    let installation = Installation::new();
    let empty = installation.place().join("empty");
    let said = refused(far_from_home(&installation, &empty), 69);
    assert!(
        said.contains("there is no nats-server on this machine"),
        "{said}"
    );
    assert!(said.contains("2.12"), "{said}");
}

#[test]
fn a_nats_server_that_is_too_old_is_told_with_both_versions() {
    let installation = Installation::new();
    let old = script(
        installation.place(),
        "nats-server",
        "echo nats-server: v2.9.25",
    );
    for command in [far_from_home(&installation, installation.place()), {
        let mut command = installation.up_command();
        command.arg("--nats-server").arg(&old);
        command
    }] {
        let said = refused(command, 69);
        assert!(
            said.contains("is nats-server 2.9, and Flotilla needs 2.12"),
            "{said}"
        );
    }
}

#[test]
fn a_part_that_cannot_start_is_told_with_the_end_of_its_log() {
    let installation = Installation::new();
    let broken = script(
        installation.place(),
        "nats-server",
        "test \"$1\" = --version && echo nats-server: v2.15.1 && exit 0; echo the disk is on fire; exit 3",
    );
    let mut command = installation.up_command();
    command.arg("--nats-server").arg(broken);
    let said = refused(command, 1);
    assert!(
        said.contains("nats-server ended (exit status: 3)"),
        "{said}"
    );
    assert!(said.contains("the disk is on fire"), "{said}");
    assert!(said.contains("nats-server.log"), "{said}");
}

#[test]
fn a_configuration_is_told_all_that_is_wrong_with_it() {
    let installation = Installation::new();
    let path = installation.place().join("config.toml");
    std::fs::write(&path, "[runner]\nslots = 0\nhots = \"a\"\n[agent.claude]\n").unwrap();
    let mut command = installation.up_command();
    command.arg("--config").arg(&path);
    let said = refused(command, 64);
    for problem in [
        "[runner] slots: ",
        "[runner] hots: ",
        "agent: is not something",
    ] {
        assert!(said.contains(problem), "{problem} is missing in {said}");
    }

    std::fs::write(&path, "[nats]\nurl = \"nats://elsewhere\"\n").unwrap();
    let mut command = installation.up_command();
    command.arg("--config").arg(&path);
    let said = refused(command, 64);
    assert!(
        said.contains("[nats] url, which `flotilla up` decides itself"),
        "{said}"
    );
}

#[test]
fn a_project_that_is_not_there_is_told() {
    let installation = Installation::new();
    let mut command = installation.up_command();
    command
        .arg("--project")
        .arg(installation.place().join("no such folder"));
    let said = refused(command, 64);
    assert!(said.contains("no such folder"), "{said}");
}

#[test]
fn a_checked_configuration_is_shown_without_its_secrets_and_nothing_is_started() {
    let installation = Installation::new();
    let path = installation.place().join("config.toml");
    std::fs::write(
        &path,
        "[agents.claude]\nenv = { ANTHROPIC_API_KEY = \"hush\" }\n",
    )
    .unwrap();
    let mut command = installation.up_command();
    command.arg("--check-config").arg("--config").arg(&path);
    let output = command.output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(
        shown.contains("ANTHROPIC_API_KEY") && !shown.contains("hush"),
        "{shown}"
    );
    assert!(!installation.data().exists());
}
