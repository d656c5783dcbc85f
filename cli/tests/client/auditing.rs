//! The audit taken out, and proved or refuted without any server.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::terminal::{Said, Terminal};

/// Verifies a file as somebody does who has nothing but the file.
async fn verify(terminal: &Terminal, file: &Path, more: &[&str]) -> Said {
    let file = file.to_str().expect("text");
    let line = [&["audit", "verify", file], more].concat();
    terminal.run_with(&line, &[], "").await
}

#[tokio::test]
async fn an_export_proves_itself_offline_and_a_changed_decision_is_named() {
    let terminal = Terminal::new().await;
    let id = terminal.start("write note.txt hello\nsay done").await;
    let wait = async |state: &str| {
        let line = ["session", "wait", &id, "--for", state, "--timeout", "50"];
        terminal.ok(&line).await
    };
    wait("waiting").await;
    terminal.ok(&["gate", "allow", "oldest"]).await;
    wait("idle").await;

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("audit.jsonl");
    let path = file.to_str().expect("text");
    terminal.ok(&["audit", "export", "--output", path]).await;
    let mode = file.metadata().expect("written").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).expect("there").count(), 1);

    let key = terminal.ok(&["audit", "key"]).await;
    let said = verify(&terminal, &file, &["--key", &key, "--json"]).await;
    assert_eq!(said.code, 0, "{said:#?}");
    let report: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(
        (&report["holds"], &report["unsigned"]),
        (&true.into(), &0.into()),
        "{report:#}"
    );
    assert_eq!(report["keys"][0]["key"], key.as_str());
    let keep = report["keep"].as_str().expect("something to keep");

    // What the server holds now goes on from there.
    let said = terminal
        .run(&["audit", "verify", "--key", &key, "--kept", keep])
        .await;
    assert!(
        said.code == 0 && said.out.starts_with("It holds"),
        "{said:#?}"
    );

    // Somebody says afterwards that it was denied.
    let text = std::fs::read_to_string(&file).expect("written");
    let decision = text
        .lines()
        .find(|line| line.contains("audit.decision."))
        .expect("the decision");
    let sequence = serde_json::from_str::<Value>(decision).expect("JSON")["seq"].clone();
    let denied = decision.replace(r#"\"allow\""#, r#"\"deny\""#);
    assert_ne!(denied, decision);
    let forged = folder.path().join("forged.jsonl");
    std::fs::write(&forged, text.replace(decision, &denied)).expect("written");
    let said = verify(&terminal, &forged, &[]).await;
    assert_eq!(said.code, 7, "{said:#?}");
    assert!(
        said.out
            .starts_with(&format!("Wrong at record {sequence},")),
        "{said:#?}"
    );
    assert!(
        said.err
            .contains(&format!("record {sequence} is not what was signed")),
        "{said:#?}"
    );
    let said = verify(&terminal, &forged, &["--json"]).await;
    let report: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(
        (&report["holds"], &report["wrong"]["sequence"]),
        (&false.into(), &sequence)
    );

    // Or that it never was.
    std::fs::write(&forged, text.replace(&format!("{decision}\n"), "")).expect("written");
    let said = verify(&terminal, &forged, &[]).await;
    assert!(
        said.code == 7 && said.err.contains(&format!("record {sequence} is missing")),
        "{said:#?}"
    );

    // The first half alone is found by who kept something.
    let half: String = text
        .lines()
        .take(2)
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(&forged, half).expect("written");
    let said = verify(&terminal, &forged, &["--kept", keep]).await;
    assert!(
        said.code == 7 && said.err.contains("cut short"),
        "{said:#?}"
    );

    let said = verify(&terminal, &file, &["--key", "ABC"]).await;
    assert_eq!(said.code, 2, "{said:#?}");
    let said = verify(&terminal, &folder.path().join("nowhere"), &[]).await;
    assert_eq!(said.code, 1, "{said:#?}");
}
