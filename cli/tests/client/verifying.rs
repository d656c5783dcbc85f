//! `verify`: green on a whole installation, and a sentence that names the part where it is not.

use serde_json::Value;
use testkit::wait;

use crate::terminal::Terminal;

const STEPS: [&str; 16] = [
    "reach",
    "sign in",
    "hosts",
    "project",
    "accept",
    "session",
    "stream",
    "gate",
    "allow",
    "file",
    "second gate",
    "deny",
    "rest",
    "replay",
    "audit",
    "clean up",
];

#[tokio::test]
async fn the_whole_chain_is_gone_through_and_leaves_nothing_running() {
    let terminal = Terminal::new().await;
    terminal.fleet.project().await;
    let said = terminal.run(&["verify"]).await;
    assert_eq!(said.code, 0, "{said:#?}");
    for step in STEPS {
        let line = said
            .out
            .lines()
            .find(|line| line.contains(&format!("ok     {step} ")));
        assert!(
            line.is_some_and(|line| line.contains(" ms  ")),
            "{step}: {}",
            said.out
        );
    }
    assert!(said.err.contains("All 16 steps passed."), "{said:#?}");

    let told = terminal.json(&["verify"]).await;
    assert_eq!(told["ok"], true);
    let steps: Vec<&str> = steps(&told)
        .filter_map(|step| step["step"].as_str())
        .collect();
    assert_eq!(steps, STEPS);
    assert_eq!(
        terminal.ok(&["session", "ls"]).await,
        "",
        "nothing is left that runs"
    );
}

#[tokio::test]
async fn what_is_not_so_is_named_with_a_hint_and_an_exit_code() {
    let terminal = Terminal::new().await;
    terminal.fleet.project().await;
    let said = terminal.run(&["verify", "--host", "vps-9"]).await;
    assert_eq!(said.code, 1, "{said:#?}");
    assert!(
        said.out.contains("FAILED hosts") && said.out.contains("no host `vps-9` has ever reported"),
        "{said:#?}"
    );
    assert!(said.err.contains("1 of 3 steps failed"), "{said:#?}");

    // A runner that is gone: the coordinator takes the session, and its host never does.
    let dead = terminal.fleet.hold_down("runner").await;
    let said = terminal.run(&["verify", "--timeout", "2", "--json"]).await;
    assert_eq!(said.code, 1, "{said:#?}");
    let told: Value = serde_json::from_str(&said.out).expect("JSON on stdout");
    assert_eq!(told["ok"], false);
    let failed: Vec<&Value> = steps(&told).filter(|step| step["ok"] == false).collect();
    assert_eq!(failed[0]["step"], "session", "{told}");
    assert_eq!(failed[0]["detail"], "it did not come within 2 s");
    assert!(failed[0]["hint"].is_string());
    dead.release();

    // What it began is ended as soon as the host can.
    wait::until(
        "the session to end",
        testkit::fleet::BOUND,
        async || match terminal.ok(&["session", "ls"]).await {
            list if list.is_empty() => Ok(()),
            list => Err(list),
        },
    )
    .await;
}

fn steps(told: &Value) -> impl Iterator<Item = &Value> {
    told["steps"].as_array().expect("steps").iter()
}
