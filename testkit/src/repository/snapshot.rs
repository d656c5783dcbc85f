//! What a checkout is, down to the bytes, so that a test can prove that nobody touched it.
//!
//! Holds HEAD, the index, the configuration, the hooks, every ref and every file. Objects are left
//! out: git adds and packs them as it likes, and without a ref to them they are invisible. Knows
//! nothing of who is allowed to change what; a test that expects a change names it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use git2::{ObjectType, Oid};

/// One line of fact per thing, e.g. `file README.md` → `100644 <hash>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    facts: BTreeMap<String, String>,
}

impl Snapshot {
    /// What `later` has that differs from this one: `file a.txt changed`, `ref refs/heads/x appeared`, …
    pub fn differences(&self, later: &Self) -> Vec<String> {
        let gone_or_changed =
            self.facts
                .iter()
                .filter_map(|(name, fact)| match later.facts.get(name) {
                    None => Some(format!("{name} disappeared")),
                    Some(now) if now != fact => Some(format!("{name} changed")),
                    Some(_) => None,
                });
        let appeared = later
            .facts
            .keys()
            .filter(|name| !self.facts.contains_key(*name));
        gone_or_changed
            .chain(appeared.map(|name| format!("{name} appeared")))
            .collect()
    }
}

/// Takes the snapshot of any checkout, worktree or bare repository.
pub fn snapshot(checkout: &Path) -> Snapshot {
    let git = git2::Repository::open(checkout).expect("there is a repository");
    let mut facts = BTreeMap::new();
    for name in [
        "HEAD",
        "ORIG_HEAD",
        "MERGE_HEAD",
        "index",
        "config",
        "info/exclude",
    ] {
        let path = git.path().join(name);
        if path.is_file() {
            facts.insert(name.to_owned(), describe(&path));
        }
    }
    for folder in ["hooks", "worktrees"] {
        let path = git.commondir().join(folder);
        if path.is_dir() {
            walk(&path, &format!("{folder}/"), &mut facts);
        }
    }
    for reference in git.references().expect("the refs can be read") {
        let reference = reference.expect("the ref can be read");
        let target = reference.target().map(|commit| commit.to_string());
        let target = target.or_else(|| {
            reference
                .symbolic_target()
                .ok()
                .flatten()
                .map(str::to_owned)
        });
        let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
        facts.insert(format!("ref {name}"), target.unwrap_or_default());
    }
    if let Some(files) = git.workdir() {
        walk(files, "file ", &mut facts);
    }
    Snapshot { facts }
}

fn walk(folder: &Path, prefix: &str, facts: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let entry = entry.expect("the folder can be read");
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let path = entry.path();
        if entry.file_type().expect("it is there").is_dir() {
            if entry.file_name() != ".git" {
                facts.insert(format!("{name}/"), String::new());
                walk(&path, &format!("{name}/"), facts);
            }
        } else {
            facts.insert(name, describe(&path));
        }
    }
}

/// Mode and content of a file; of a symbolic link, where it points.
fn describe(path: &Path) -> String {
    let metadata = fs::symlink_metadata(path).expect("it is there");
    if metadata.is_symlink() {
        return format!(
            "link to {}",
            fs::read_link(path).expect("it is a link").display()
        );
    }
    let bytes = fs::read(path).expect("the file can be read");
    let hash = Oid::hash_object(ObjectType::Blob, &bytes).expect("bytes have a hash");
    format!("{:o} {hash}", metadata.permissions().mode())
}
