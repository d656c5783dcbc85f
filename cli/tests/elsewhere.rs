//! Parts of a fleet on other machines: `up` keeps NATS and the coordinator, runners join from elsewhere with a credential
//! of their own and nothing else.

use std::os::unix::fs::PermissionsExt as _;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::fleet::{Fleet, Options};
use testkit::repository::Repository;

fn project(name: &str) -> Repository {
    Repository::new(name).file("README.md", "# It\n").commit()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runners_from_elsewhere_join_an_up_that_runs_none() {
    let fleet = Fleet::start(Options {
        agents: "nats.listen = \"127.0.0.2:0\"\nrunner.enabled = false\n".to_owned(),
        ..Options::default()
    })
    .await;
    let nats_url = fleet.ready()["nats_url"].clone();
    assert!(nats_url.as_str().unwrap().starts_with("nats://127.0.0.2:"));
    assert_eq!(fleet.ready()["pids"]["runner"], Value::Null);
    assert!(
        !fleet.data().join("demo").exists(),
        "nobody here works on it"
    );

    let (shop, till) = (project("shop"), project("till"));
    let one = fleet.runner_elsewhere("vps-1", &[shop.path()]).await;
    let two = fleet.runner_elsewhere("vps-2", &[till.path()]).await;
    let hosts = fleet.get("/api/hosts").await;
    assert_eq!(hosts["items"].as_array().unwrap().len(), 2, "{hosts}");

    for runner in [&one, &two] {
        let host = fleet.get(&format!("/api/hosts/{}", runner.host)).await;
        let project = host["projects"][0]["id"].clone();
        let body = json!({"project": project, "agent": "rehearsal", "host": runner.host,
            "prompt": "write made-here.txt hello"});
        let session = fleet.post("/api/sessions", body).await;
        let session = session["id"].as_str().unwrap();
        assert_eq!(fleet.allow_all(session).await, 1);
        let worktree = fleet.worktree(session).await;
        assert!(worktree.starts_with(runner.data()), "{worktree:?}");
        assert!(worktree.join("made-here.txt").is_file());
        fleet.assert_contiguous(session).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_gets_its_credentials_once_and_only_its_owner_reads_them() {
    let fleet = Fleet::start(Options {
        agents: "runner.enabled = false\n".to_owned(),
        ..Options::default()
    })
    .await;
    let out = fleet.data().join("vps-1.creds");
    let asked = ["--host", "vps-1"];
    let printed = fleet.nats_creds(&asked);
    assert!(printed.status.success(), "{printed:?}");
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert!(printed.contains("BEGIN USER NKEY SEED"), "{printed}");

    let told =
        fleet.nats_creds(&[&asked[..], &["--json", "--out", &out.display().to_string()]].concat());
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told["url"], fleet.ready()["nats_url"]);
    assert_eq!(told["creds"], json!(out));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), printed);
    let mode = std::fs::metadata(&out).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let refused = fleet.nats_creds(&["--host", "VPS 1"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is not a host name"));
    let (status, _) = fleet.request(Method::GET, "/api/hosts/vps-1", None).await;
    assert_eq!(status, 404, "a credential alone makes no host");
}
