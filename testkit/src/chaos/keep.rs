//! Keeps what is needed to understand a round that went wrong: what was wrong, what was told, and every log.

use std::path::Path;

use serde_json::Value;

use super::cell::caught;
use super::ground::Ground;
use super::journey::Journey;

/// Into the folder `to`, which is made.
pub(super) async fn keep(to: &Path, ground: &Ground, journeys: &[Journey<'_>], words: &str) {
    std::fs::create_dir_all(to).expect("a folder for logs");
    std::fs::write(to.join("words.txt"), words).expect("a file");
    for journey in journeys {
        let events: Vec<Value> = caught(journey.events()).await.unwrap_or_default();
        let lines: Vec<String> = events.iter().map(Value::to_string).collect();
        std::fs::write(
            to.join(format!("{}.jsonl", journey.session)),
            lines.join("\n"),
        )
        .expect("a file");
        copy(
            &ground.host_data().join("sessions").join(&journey.session),
            &to.join(&journey.session),
        );
    }
    for folder in ground.logs() {
        let name = folder.file_name().unwrap_or_default();
        copy(&folder, &to.join("logs").join(name));
    }
}

/// Files only, as far as they can be read; sockets and worktrees tell nothing.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).ok();
    for entry in std::fs::read_dir(from).into_iter().flatten().flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type() {
            Ok(kind) if kind.is_file() => {
                std::fs::copy(&path, &target).ok();
            }
            Ok(kind) if kind.is_dir() => copy(&path, &target),
            _ => {}
        }
    }
}
