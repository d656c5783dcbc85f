//! A session goes from one fleet into another as a file, and nothing of it is lost or made up on the way.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::terminal::Terminal;

/// A result too big to travel in a row, a file that was changed, and a call that was denied.
const WORK: &str = "run seq 1 40000 > big.txt\nread big.txt\nwrite made.txt hello";

async fn export(terminal: &Terminal, session: &str, file: &Path) -> String {
    let path = file.display().to_string();
    terminal
        .ok(&["session", "export", session, "--output", &path])
        .await;
    std::fs::read_to_string(file).expect("it was written")
}

/// A session with an attachment and a row beyond 256 KB, over unless it is to stay open.
async fn session(terminal: &Terminal, open: bool) -> String {
    let fleet = &terminal.fleet;
    let session = terminal.start(WORK).await;
    fleet.allow_all(&session).await;
    let file = fleet
        .attach(
            &session,
            "sketch.bin",
            "application/x-sketch",
            vec![9; 300_000],
        )
        .await;
    let message = json!({"text": "say thanks\nrun date", "attachments": [file]});
    fleet
        .post(&format!("/api/sessions/{session}/messages"), message)
        .await;
    let gate = fleet.gate(&session).await;
    if !open {
        let no = json!({"decision": "deny", "reason": "not now"});
        fleet.decide(&gate, no).await;
        fleet.wait_state(&session, &["idle"]).await;
        terminal.ok(&["session", "stop", &session]).await;
        fleet.wait_state(&session, &["ended"]).await;
    }
    session
}

fn changed(folder: &Path, name: &str, lines: &[&str]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, lines.join("\n") + "\n").expect("a file");
    path
}

#[tokio::test]
async fn a_session_goes_into_another_fleet_and_comes_back_out_the_same() {
    let (here, there) = (Terminal::new().await, Terminal::new().await);
    let folder = tempfile::tempdir().expect("a folder");
    let id = session(&here, false).await;
    let first = export(&here, &id, &folder.path().join("first.jsonl")).await;
    let big = first.lines().filter(|line| line.starts_with("{\"part\":"));
    assert!(big.count() >= 4, "the big row and the file, each in parts");
    assert_eq!(here.ok(&["session", "export", &id]).await, first.trim_end());

    let file = folder.path().join("first.jsonl").display().to_string();
    let said = there.run(&["session", "import", &file]).await;
    assert_eq!((said.code, said.out.trim()), (0, id.as_str()), "{said:#?}");
    let second = export(&there, &id, &folder.path().join("second.jsonl")).await;
    assert!(second == first, "not the same bytes");

    let row = there.fleet.get(&format!("/api/sessions/{id}")).await;
    assert_eq!(row["state"], "ended");
    assert_eq!(row["host"], "imported");
    let ran_on = here.fleet.get(&format!("/api/sessions/{id}")).await["host"].clone();
    assert_eq!(row["imported"]["host"], ran_on);
    assert_eq!(row["imported"]["by_name"], "Ada");
    let (before, after) = (here.fleet.events(&id).await, there.fleet.events(&id).await);
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        for field in ["id", "seq", "at", "type", "data"] {
            assert_eq!(before[field], after[field]);
        }
    }
    let whole = after.iter().find(|event| event["object"].is_object());
    let seq = &whole.expect("a big row")["seq"];
    let path = format!("/api/sessions/{id}/events/{seq}");
    let (before, after) = (here.fleet.get(&path).await, there.fleet.get(&path).await);
    assert!(before["data"] == after["data"] && before["data"].to_string().len() > 256 * 1024);

    let seen = there.json(&["session", "verify", &id]).await;
    assert_eq!(seen["verdict"], "same", "{seen}");
    let again = there.run(&["session", "import", &file]).await;
    assert_eq!(again.code, 0, "{again:#?}");
    assert!(again.err.contains("nothing was changed"), "{again:#?}");
    let seen = there.json(&["session", "verify", &id]).await;
    assert_eq!(seen["verdict"], "same", "{seen}");
    let original = here.run(&["session", "import", &file]).await;
    assert_eq!(original.code, 1, "{original:#?}");
    assert!(original.err.contains("is here already"), "{original:#?}");

    let told = json!({"text": "hello"});
    let path = format!("/api/sessions/{id}/messages");
    let (status, refused) = there
        .fleet
        .request(reqwest::Method::POST, &path, Some(told))
        .await;
    assert_eq!(
        (status.as_u16(), &refused["error"]["code"]),
        (409, &json!("session_ended"))
    );
}

#[tokio::test]
async fn a_session_that_is_open_is_over_where_it_is_imported_also_after_the_projection_is_gone() {
    let (here, mut there) = (Terminal::new().await, Terminal::new().await);
    let folder = tempfile::tempdir().expect("a folder");
    let id = session(&here, true).await;
    let first = export(&here, &id, &folder.path().join("first.jsonl")).await;
    let file = folder.path().join("first.jsonl").display().to_string();
    there.ok(&["session", "import", &file]).await;
    for _ in 0..2 {
        let row = there.fleet.get(&format!("/api/sessions/{id}")).await;
        assert_eq!(
            (&row["state"], &row["pending_gates"]),
            (&json!("ended"), &json!(0))
        );
        let second = export(&there, &id, &folder.path().join("second.jsonl")).await;
        assert!(second == first, "the end that was added here stays here");
        let seen = there.json(&["session", "verify", &id]).await;
        assert_eq!(seen["verdict"], "same", "{seen}");
        there
            .fleet
            .restart(|data| {
                let projection = data.join("coordinator/projection.db");
                std::fs::remove_file(projection).expect("a projection");
            })
            .await;
    }
    let row = here.fleet.get(&format!("/api/sessions/{id}")).await;
    assert_eq!(row["pending_gates"], 1, "where it came from it goes on");
}

#[tokio::test]
async fn a_file_that_is_not_whole_is_refused_with_its_line_and_leaves_nothing() {
    let (here, there) = (Terminal::new().await, Terminal::new().await);
    let folder = tempfile::tempdir().expect("a folder");
    let id = here.start("say one").await;
    here.fleet.wait_state(&id, &["idle"]).await;
    let whole = export(&here, &id, &folder.path().join("whole.jsonl")).await;
    let lines: Vec<&str> = whole.lines().collect();
    let mut moved = lines.clone();
    moved.swap(2, 3);
    let mut doubled = lines.clone();
    doubled.insert(3, lines[2]);
    let later = lines[4].replacen("T", "U", 1);
    let mut other = lines.clone();
    other[4] = &later;
    let files = [
        (
            "cut.jsonl",
            lines[..4].to_vec(),
            "Line 4: the file breaks off",
        ),
        ("moved.jsonl", moved, "Line 3: event 3 follows event 1"),
        ("doubled.jsonl", doubled, "Line 4: event 2 follows event 2"),
        ("garbage.jsonl", vec!["hello"], "Line 1: this is no line"),
        ("other.jsonl", other, "Line 5: "),
        ("empty.jsonl", vec![], "Line 1: "),
    ];
    for (name, lines, words) in files {
        let path = changed(folder.path(), name, &lines).display().to_string();
        let said = there.run(&["session", "import", &path]).await;
        assert_eq!(said.code, 1, "{name}: {said:#?}");
        assert!(said.err.contains(words), "{name}: {said:#?}");
        assert!(said.err.contains("Nothing of it was imported"), "{said:#?}");
    }
    let sessions: Value = there.json(&["session", "ls", "--all"]).await;
    assert_eq!(sessions["items"], json!([]), "nothing stays");
    let file = folder.path().join("whole.jsonl").display().to_string();
    there.ok(&["session", "import", &file]).await;
    let seen = there.json(&["session", "verify", &id]).await;
    assert_eq!(seen["verdict"], "same", "{seen}");
}
