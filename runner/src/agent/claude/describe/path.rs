//! Where a path lies: inside the worktree or outside of it, and whether it is one to be careful with.
//!
//! By its letters alone, without a look at the disk: a symbolic link inside may lead outside.

use std::path::{Component, Path, PathBuf};

/// The folder that paths are seen from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    worktree: Option<&'a Path>,
}

/// Parts of paths that usually hold secrets. Compared in lower case.
const SECRET_NAMES: [&str; 14] = [
    ".ssh",
    ".aws",
    ".gnupg",
    ".kube",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    ".credentials.json",
    ".docker",
    "credentials",
    "id_rsa",
    "id_ed25519",
    "secrets",
];

const SECRET_ENDINGS: [&str; 5] = [".pem", ".key", ".p12", ".pfx", ".keystore"];

/// Written by everyone, and no place of its own.
const NOWHERE: [&str; 6] = [
    "/dev/null",
    "/dev/stdout",
    "/dev/stderr",
    "/dev/stdin",
    "/dev/tty",
    "/dev/zero",
];

impl<'a> Place<'a> {
    pub fn new(worktree: Option<&'a str>) -> Self {
        Self {
            worktree: worktree.map(Path::new),
        }
    }

    /// Short inside the worktree, whole outside.
    pub fn shown(&self, path: &str) -> String {
        let inside = self
            .worktree
            .and_then(|worktree| Path::new(path).strip_prefix(worktree).ok());
        inside
            .filter(|inside| !inside.as_os_str().is_empty())
            .map_or_else(|| path.to_owned(), |inside| inside.display().to_string())
    }

    /// Reading or listing it.
    pub fn look_risks(&self, path: &str) -> Vec<String> {
        let outside = self
            .is_outside(path)
            .then(|| format!("looks outside the worktree: `{path}`"));
        let secret = is_secret(path).then(|| format!("may read secrets: `{}`", self.shown(path)));
        outside.into_iter().chain(secret).collect()
    }

    /// Writing or editing it.
    pub fn change_risks(&self, path: &str) -> Vec<String> {
        let outside = self
            .is_outside(path)
            .then(|| format!("changes a file outside the worktree: `{path}`"));
        let secret = is_secret(path).then(|| {
            format!(
                "changes a file that may hold secrets: `{}`",
                self.shown(path)
            )
        });
        outside
            .into_iter()
            .chain(secret)
            .chain(self.special(path))
            .collect()
    }

    pub fn is_outside(&self, path: &str) -> bool {
        if NOWHERE.contains(&path) {
            return false;
        }
        if path == "~"
            || path.starts_with("~/")
            || path.starts_with("$HOME")
            || path.starts_with("${HOME}")
        {
            return true;
        }
        match self.worktree {
            Some(worktree) => !normal(&worktree.join(path)).starts_with(worktree),
            // Not knowing where we are, only a plain name is surely inside.
            None => Path::new(path).is_absolute() || normal(Path::new(path)).starts_with(".."),
        }
    }

    /// Files that make others run something, or change the rules.
    fn special(&self, path: &str) -> Option<String> {
        let shown = self.shown(path);
        let shown = shown.trim_start_matches("./");
        let what = if shown.starts_with(".git/") {
            "changes git's own files, whose hooks and settings are run as programs"
        } else if shown.starts_with(".github/workflows/") || shown == ".gitlab-ci.yml" {
            "changes what the continuous integration runs"
        } else if shown.starts_with(".claude/") || shown == ".mcp.json" || shown == "CLAUDE.md" {
            "changes the agent's own instructions or settings"
        } else {
            return None;
        };
        Some(what.to_owned())
    }
}

pub(super) fn is_secret(path: &str) -> bool {
    let path = path.to_lowercase();
    let mut parts = path.split(['/', '=', ':']);
    if path == "/etc/shadow" {
        return true;
    }
    let example = [".example", ".sample", ".template"]
        .iter()
        .any(|ending| path.ends_with(ending));
    parts.any(|part| {
        let environment = part == ".env" || part.starts_with(".env.") && !example;
        environment
            || SECRET_NAMES.contains(&part)
            || part.starts_with("id_rsa") && !part.ends_with(".pub")
            || SECRET_ENDINGS.iter().any(|ending| part.ends_with(ending))
    })
}

/// Without `.` and `..`, as far as letters go.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if matches!(out.components().next_back(), Some(Component::Normal(_))) {
                    out.pop();
                } else if !out.has_root() {
                    out.push("..");
                }
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(part),
        }
    }
    out
}
