//! Two trees, told as a list of files with patches, within bounds that keep it readable and sendable.
//! Knows trees only; not which moments they are of.

use git2::{Delta, DiffDelta, DiffFindOptions, DiffOptions, Oid, Patch, Repository};

use super::view::is_stand_in;

/// Files listed; the rest is counted.
const FILES_MAX: usize = 500;

/// A longer patch is cut: nobody reads it in a list of changes.
const PATCH_BYTES_MAX: usize = 64 * 1024;

/// What changed between two moments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    pub files: Vec<FileChange>,
    /// Files that changed as well and are not listed.
    pub unlisted: usize,
    /// Lines, of the listed files.
    pub added: usize,
    pub removed: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Relative to the worktree.
    pub path: String,
    /// Where a renamed file was.
    pub old_path: Option<String>,
    pub change: Change,
    /// Lines.
    pub added: usize,
    pub removed: usize,
    /// Unified diff; empty for a binary file.
    pub patch: String,
    pub binary: bool,
    /// There is more to the change than the patch says.
    pub truncated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Created,
    Modified,
    Deleted,
    Renamed,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.unlisted == 0
    }
}

pub(super) fn between(repository: &Repository, old: Oid, new: Oid) -> Result<Changes, git2::Error> {
    if old == new {
        return Ok(Changes::default());
    }
    let (old, new) = (repository.find_tree(old)?, repository.find_tree(new)?);
    let mut options = DiffOptions::new();
    options.ignore_submodules(true);
    let mut diff = repository.diff_tree_to_tree(Some(&old), Some(&new), Some(&mut options))?;
    // Comparing every created with every deleted file is not worth it when nobody sees the list.
    if diff.deltas().len() <= FILES_MAX {
        diff.find_similar(Some(DiffFindOptions::new().renames(true)))?;
    }
    let mut changes = Changes {
        unlisted: diff.deltas().len().saturating_sub(FILES_MAX),
        ..Changes::default()
    };
    for place in 0..diff.deltas().len().min(FILES_MAX) {
        let Some(delta) = diff.get_delta(place) else {
            continue;
        };
        let mut file = describe(&delta);
        let kept = [delta.old_file().id(), delta.new_file().id()];
        if kept
            .iter()
            .any(|&id| !id.is_zero() && is_stand_in(repository, id))
        {
            file.truncated = true;
        } else if let Some(patch) = Patch::from_diff(&diff, place)? {
            fill_in(&mut file, patch)?;
        } else {
            file.binary = true;
        }
        changes.added += file.added;
        changes.removed += file.removed;
        changes.files.push(file);
    }
    Ok(changes)
}

fn describe(delta: &DiffDelta<'_>) -> FileChange {
    let path = |file: git2::DiffFile<'_>| {
        String::from_utf8_lossy(file.path_bytes().unwrap_or_default()).into_owned()
    };
    let (old_path, new_path) = (path(delta.old_file()), path(delta.new_file()));
    let change = match delta.status() {
        Delta::Added | Delta::Copied => Change::Created,
        Delta::Deleted => Change::Deleted,
        Delta::Renamed => Change::Renamed,
        _ => Change::Modified,
    };
    FileChange {
        path: if change == Change::Deleted {
            old_path.clone()
        } else {
            new_path
        },
        old_path: (change == Change::Renamed).then_some(old_path),
        change,
        added: 0,
        removed: 0,
        patch: String::new(),
        binary: false,
        truncated: false,
    }
}

fn fill_in(file: &mut FileChange, mut patch: Patch<'_>) -> Result<(), git2::Error> {
    // Known only now: git looks into a file when its patch is made.
    if patch.delta().flags().is_binary() {
        file.binary = true;
        return Ok(());
    }
    (_, file.added, file.removed) = patch.line_stats()?;
    let text = patch.to_buf()?;
    (file.patch, file.truncated) = cut(&text);
    Ok(())
}

/// At the end of a line, so that what is left is a patch as far as it goes.
fn cut(text: &[u8]) -> (String, bool) {
    if text.len() <= PATCH_BYTES_MAX {
        return (String::from_utf8_lossy(text).into_owned(), false);
    }
    let head = &text[..PATCH_BYTES_MAX];
    let end = head
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(PATCH_BYTES_MAX, |newline| newline + 1);
    (String::from_utf8_lossy(&head[..end]).into_owned(), true)
}
