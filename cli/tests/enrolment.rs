//! A machine joins: the command that the fleet gives is typed there, and nothing else; it makes a host that works.
#![expect(
    clippy::unwrap_used,
    reason = "in a test a broken surrounding is a failure, and the helpers are part of the test"
)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nats::credentials::{CredsFile, HostAuthority, HostKey, jwt};
use serde_json::{Value, json};
use testkit::fleet::{Fleet, Options, Runner};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn creds(runner: &Runner) -> CredsFile {
    let path = runner.data().join("runner/host.creds");
    CredsFile::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_very_command_that_is_given_makes_a_host_that_works() {
    let fleet = Fleet::start(Options::default()).await;
    let runner = fleet.enrolled_elsewhere("vps-2").await;

    // The key was made there, for its owner alone, and what it signs in with says the name and an end.
    for name in ["host.nk", "host.creds", "runner.toml"] {
        assert_eq!(
            mode(&runner.data().join("runner").join(name)),
            0o600,
            "{name}"
        );
    }
    let claims = jwt::claims(&creds(&runner).jwt).unwrap();
    assert_eq!(claims["name"], "vps-2");
    assert_eq!(claims["sub"], json!(creds(&runner).key.public_key()));
    assert!(claims["exp"].is_number());

    let host = fleet.get("/api/hosts/vps-2").await;
    let project = host["projects"][0]["id"].clone();
    let body = json!({"project": project, "agent": "rehearsal", "host": "vps-2",
        "prompt": "write made-there.txt hello"});
    let session = fleet.post("/api/sessions", body).await;
    let session = session["id"].as_str().unwrap();
    assert_eq!(fleet.allow_all(session).await, 1);
    let worktree = fleet.worktree(session).await;
    assert!(worktree.starts_with(runner.data()), "{worktree:?}");
    assert!(worktree.join("made-there.txt").is_file());
    fleet.assert_contiguous(session).await;

    let audit = fleet.get("/api/audit?limit=50").await.to_string();
    for action in ["host.invite", "host.enrol"] {
        assert!(audit.contains(&format!("\"{action}\"")), "{audit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_serves_once_and_who_comes_second_reads_why() {
    let fleet = Fleet::start(Options::default()).await;
    let made = fleet
        .post(
            "/api/enrolments",
            json!({"host": "vps-2", "labels": {"pool": "fast"}}),
        )
        .await;
    let command = made["command"].as_str().unwrap();
    let once = command.strip_suffix(" --start").unwrap();

    let mut first = fleet.types_elsewhere("vps-2", once);
    assert_eq!(first.ends().await, Some(0), "{}", first.log());
    assert!(
        first.log().contains("flotilla runner --config"),
        "{}",
        first.log()
    );
    let written = std::fs::read_to_string(first.data().join("runner/runner.toml")).unwrap();
    let settings: toml::Table = written.parse().unwrap();
    assert_eq!(settings["runner"]["labels"]["pool"].as_str(), Some("fast"));
    assert_eq!(
        settings["runner"]["coordinator"].as_str(),
        Some(fleet.url().as_str())
    );

    let mut second = fleet.types_elsewhere("vps-2", once);
    assert_eq!(second.ends().await, Some(1));
    let said = second.log();
    assert!(
        said.contains("was used at") && said.contains("hint: "),
        "{said}"
    );
    assert!(!second.data().join("runner/host.creds").exists());

    let mut slip = fleet.types_elsewhere("vps-2", &once[..once.len() - 2]);
    assert_eq!(slip.ends().await, Some(1));
    assert!(slip.log().contains("not whole"), "{}", slip.log());
    assert!(!slip.data().exists(), "a slip leaves nothing behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_gives_the_same_command() {
    let fleet = Fleet::start(Options::default()).await;
    let run = |words: &[&str]| {
        let output = std::process::Command::new(testkit::flotilla::path())
            .args(["host", "enrol"])
            .args(words)
            .env("FLOTILLA_URL", fleet.url())
            .env("FLOTILLA_TOKEN", fleet.token())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let (code, out, err) = run(&["vps-2", "--label", "pool=fast"]);
    assert_eq!(code, Some(0), "{err}");
    let begins = format!("flotilla runner enrol {} flt-enrol.vps-2.", fleet.url());
    assert!(
        out.starts_with(&begins) && out.trim_end().ends_with("--start"),
        "{out}"
    );
    assert!(err.contains("It serves once, until "), "{err}");
    assert!(err.contains("NATS listens on this machine alone"), "{err}");

    let (_, out, _) = run(&["vps-3", "--json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["host"], "vps-3");
    let (code, _, err) = run(&["VPS 3"]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains("is not a host name") && err.contains("hint: "),
        "{err}"
    );
    let (code, _, _) = run(&["vps-4", "--label", "pool"]);
    assert_eq!(code, Some(2));
}

/// A host that is enrolled and does not run, and the line that starts its runner.
async fn enrolled(fleet: &Fleet, host: &str) -> (Runner, String) {
    let made = fleet.post("/api/enrolments", json!({"host": host})).await;
    let command = made["command"].as_str().unwrap();
    let once = command.strip_suffix(" --start").unwrap();
    let mut machine = fleet.types_elsewhere(host, once);
    assert_eq!(machine.ends().await, Some(0), "{}", machine.log());
    let file = machine.data().join("runner/runner.toml");
    (
        machine,
        format!("flotilla runner --config '{}'", file.display()),
    )
}

/// Gives the host another token for its own key, which ends after so many seconds.
fn ends_in(fleet: &Fleet, machine: &Runner, seconds: i64) {
    let authority = HostAuthority::open(&fleet.data().join("nats/credentials"))
        .unwrap()
        .unwrap();
    let key = HostKey::from(creds(machine));
    let host = machine.host.parse().unwrap();
    let granted = authority.grant_for(&host, key.public(), seconds).unwrap();
    let path = machine.data().join("runner/host.creds");
    std::fs::write(path, key.creds(&granted.jwt).unwrap()).unwrap();
}

/// Waits for a token of thirty days, of the same key.
async fn is_renewed(machine: &Runner) {
    let key = creds(machine).key.public_key();
    testkit::wait::until("a renewed token", testkit::fleet::BOUND, async || {
        let claims = jwt::claims(&creds(machine).jwt).unwrap();
        let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        if life == 30 * 24 * 60 * 60 {
            Ok(())
        } else {
            Err(format!("{claims}, and said: {}", machine.log()))
        }
    })
    .await;
    assert_eq!(creds(machine).key.public_key(), key);
    assert_eq!(mode(&machine.data().join("runner/host.creds")), 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_renewed_before_it_ends_and_the_work_goes_on_over_its_end() {
    let fleet = Fleet::start(Options::default()).await;
    let (mut machine, start) = enrolled(&fleet, "vps-2").await;
    ends_in(&fleet, &machine, 6);
    machine.types(&start);
    fleet.hears(&machine).await;
    let host = fleet.get("/api/hosts/vps-2").await;
    let body = json!({"project": host["projects"][0]["id"], "agent": "rehearsal", "host": "vps-2",
        "prompt": "stream 400 25\nwrite made-there.txt hello"});
    let session = fleet.post("/api/sessions", body).await;
    let session = session["id"].as_str().unwrap();
    // Some ten seconds of text: the connection that it travels on ends in the middle.
    assert_eq!(fleet.allow_all(session).await, 1);
    is_renewed(&machine).await;
    fleet.assert_contiguous(session).await;
    let log = machine.log();
    assert!(!log.contains("does not let this program in"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_whose_token_has_ended_says_so_once_and_recovers_by_itself() {
    let fleet = Fleet::start(Options::default()).await;
    let (mut machine, start) = enrolled(&fleet, "vps-2").await;
    ends_in(&fleet, &machine, -10);
    machine.types(&start);
    is_renewed(&machine).await;
    fleet.hears(&machine).await;
    let log = machine.log();
    let refusals = log.matches("does not let this program in").count();
    // One for each of its two connections.
    assert!((1..=2).contains(&refusals), "{log}");
}

/// Whether NATS lets the host in with what it has.
async fn is_let_in(fleet: &Fleet, machine: &Runner) -> bool {
    let url = fleet.ready()["nats_url"].as_str().unwrap().to_owned();
    async_nats::ConnectOptions::with_credentials_file(machine.data().join("runner/host.creds"))
        .await
        .unwrap()
        .connect(url)
        .await
        .is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_host_is_cut_off_within_a_second_and_stays_so_whatever_starts_again() {
    let fleet = Fleet::start(Options::default()).await;
    let machine = fleet.enrolled_elsewhere("vps-2").await;
    let other = fleet.enrolled_elsewhere("vps-3").await;
    assert!(is_let_in(&fleet, &machine).await);

    let run = |words: &[&str]| {
        std::process::Command::new(testkit::flotilla::path())
            .arg("host")
            .args(words)
            .env("FLOTILLA_URL", fleet.url())
            .env("FLOTILLA_TOKEN", fleet.token())
            .output()
            .unwrap()
    };
    let before = tokio::time::Instant::now();
    let told = run(&["revoke", "vps-2"]);
    assert!(told.status.success(), "{told:?}");
    let said = String::from_utf8(told.stdout).unwrap();
    assert!(said.starts_with("vps-2 was revoked by Ada at "), "{said}");
    testkit::wait::until(
        "the host to be cut off",
        testkit::fleet::BOUND,
        async || {
            let log = machine.log();
            if log.contains("NATS does not let this program in") {
                Ok(())
            } else {
                Err(log)
            }
        },
    )
    .await;
    let took = before.elapsed();
    assert!(took < std::time::Duration::from_secs(1), "{took:?}");
    assert!(!is_let_in(&fleet, &machine).await);
    let row = fleet.get("/api/hosts/vps-2").await;
    assert_eq!(row["revoked_by_name"], "Ada", "{row}");

    // A coordinator that was not there, with the files of before, and a nats-server with the configuration of before.
    let late = fleet.another_coordinator().await;
    assert!(!is_let_in(&fleet, &machine).await);
    fleet.kill("nats").await;
    fleet.hears(&other).await;
    testkit::wait::until("nats-server", testkit::fleet::BOUND, async || {
        is_let_in(&fleet, &other)
            .await
            .then_some(())
            .ok_or_else(|| "away".to_owned())
    })
    .await;
    assert!(!is_let_in(&fleet, &machine).await);
    // Neither way to a new token is open.
    let (status, body) = fleet
        .request_at(
            &late.url,
            reqwest::Method::POST,
            "/api/enrolments",
            Some(json!({"host": "vps-2"})),
        )
        .await;
    assert_eq!(status, 409, "{body}");

    let early = run(&["remove", "vps-3"]);
    assert_eq!(early.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&early.stderr).contains("not revoked"));
    assert!(run(&["remove", "vps-2"]).status.success());
    let gone = async || {
        let (status, body) = fleet
            .request(reqwest::Method::GET, "/api/hosts/vps-2", None)
            .await;
        (status == 404)
            .then_some(())
            .ok_or_else(|| body.to_string())
    };
    testkit::wait::until("the host to be gone", testkit::fleet::BOUND, gone).await;
    assert!(!is_let_in(&fleet, &machine).await);

    // The same machine under its old name, by a new key.
    let made = fleet
        .post("/api/enrolments", json!({"host": "vps-2"}))
        .await;
    let mut machine = machine;
    let command = made["command"].as_str().unwrap();
    machine.types(command);
    assert_eq!(machine.ends().await, Some(1), "{}", machine.log());
    assert!(machine.log().contains("host.nk"), "{}", machine.log());
    std::fs::remove_file(machine.data().join("runner/host.nk")).unwrap();
    machine.types(command);
    fleet.hears(&machine).await;
    assert_eq!(
        fleet.get("/api/hosts/vps-2").await["revoked_at"],
        Value::Null
    );
}
