//! What a session changed, as its events tell.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use nats::Timestamp;
use nats::event::{FileChange, FileChanged};

use super::app::App;
use super::body::SessionPath;
use super::caller::Caller;
use super::error::ApiError;
use crate::api::{DiffFile, DiffPatch, ErrorBody, SessionDiff};
use crate::projection::query;

/// The patches of each file, in the order of their last change.
#[utoipa::path(get, path = "/api/sessions/{id}/diff", tag = "sessions", responses(
    (status = 200, body = SessionDiff), (status = "default", body = ErrorBody)))]
pub async fn show(
    State(app): State<App>,
    _caller: Caller,
    SessionPath(id): SessionPath,
) -> Result<Json<SessionDiff>, ApiError> {
    app.session(id).await?;
    let changes = app
        .reader
        .read(move |connection| query::file_changes(connection, id))
        .await?;
    Ok(Json(group(changes)))
}

fn group(changes: Vec<(u64, Timestamp, FileChanged)>) -> SessionDiff {
    let mut files: HashMap<String, (u64, DiffFile)> = HashMap::new();
    for (seq, at, change) in changes {
        let former = change.old_path.as_ref().and_then(|old| files.remove(old));
        let (last, file) = files
            .entry(change.path.clone())
            .or_insert_with(|| former.unwrap_or_else(|| (seq, empty(&change))));
        *last = seq;
        file.path.clone_from(&change.path);
        if change.old_path.is_some() && file.old_path.is_none() {
            file.old_path.clone_from(&change.old_path);
        }
        file.change = sum(file, change.change);
        file.added += change.added;
        file.removed += change.removed;
        file.binary |= change.binary;
        file.truncated |= change.truncated;
        file.patches.push(DiffPatch {
            seq,
            at,
            patch: change.patch,
            tool_use: change.tool_use,
        });
    }
    let mut files: Vec<(u64, DiffFile)> = files.into_values().collect();
    files.sort_by_key(|(last, _)| *last);
    let files: Vec<DiffFile> = files.into_iter().map(|(_, file)| file).collect();
    SessionDiff {
        added: files.iter().map(|file| file.added).sum(),
        removed: files.iter().map(|file| file.removed).sum(),
        files,
    }
}

fn empty(change: &FileChanged) -> DiffFile {
    DiffFile {
        path: change.path.clone(),
        old_path: None,
        change: change.change,
        added: 0,
        removed: 0,
        binary: false,
        truncated: false,
        patches: Vec::new(),
    }
}

/// What happened to a file over all: one that was created and then modified was created.
fn sum(file: &DiffFile, next: FileChange) -> FileChange {
    match (file.change, next) {
        (FileChange::Created, FileChange::Modified | FileChange::Renamed)
            if !file.patches.is_empty() =>
        {
            FileChange::Created
        }
        (FileChange::Renamed, FileChange::Modified) => FileChange::Renamed,
        (FileChange::Deleted, FileChange::Created) if !file.patches.is_empty() => {
            FileChange::Modified
        }
        (_, next) => next,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str, old: Option<&str>, change: FileChange) -> FileChanged {
        FileChanged {
            path: path.to_owned(),
            old_path: old.map(str::to_owned),
            change,
            added: 2,
            removed: 1,
            patch: format!("@@ {path}"),
            binary: false,
            truncated: false,
            tool_use: None,
        }
    }

    #[test]
    fn patches_of_a_file_stay_together_through_a_rename() {
        let at = Timestamp::now();
        let diff = group(vec![
            (1, at, change("a", None, FileChange::Created)),
            (2, at, change("b", None, FileChange::Modified)),
            (3, at, change("a", None, FileChange::Modified)),
            (4, at, change("c", Some("a"), FileChange::Renamed)),
        ]);
        let paths: Vec<&str> = diff.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["b", "c"]);
        let moved = &diff.files[1];
        assert_eq!(
            (moved.change, moved.patches.len(), moved.added),
            (FileChange::Created, 3, 6)
        );
        assert_eq!((diff.added, diff.removed), (8, 4));
    }
}
