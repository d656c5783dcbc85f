//! A person's checkout, recognised: the same project on every host, whatever its folder is called.
//! Only reads, not even refreshing the index. Does not know sessions.

use std::path::{Path, PathBuf};

use git2::{Repository, Sort, StatusOptions};
use sha2::{Digest, Sha256};

use super::{Error, repository};

/// What there is to know of a checkout without changing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The same on every host: from the remote, else the root commit, else the path. Fit for a file name.
    pub id: String,
    pub name: String,
    /// The checkout's top folder.
    pub path: PathBuf,
    /// `host/path`, without scheme, user, port or `.git`: one spelling for all the ways to write it.
    pub remote: Option<String>,
    /// Looked for only without a remote: it means walking the whole history.
    pub root_commit: Option<String>,
    /// The branch that is checked out, also when it has no commit yet. None when a commit is checked out by itself.
    pub branch: Option<String>,
    /// The commit that is checked out, in full hex.
    pub head: Option<String>,
    /// Changed or untracked files, which a session does not see.
    pub uncommitted: usize,
}

impl Project {
    /// Recognises the repository that `path` lies in.
    pub fn recognise(path: &Path) -> Result<Self, Error> {
        let opened = repository::discover(path);
        let repository = opened.map_err(|source| Error::NotARepository {
            path: path.to_owned(),
            source,
        })?;
        // Without the slash that libgit2 puts at the end of every folder.
        let path = repository.workdir().unwrap_or(repository.path());
        let path: PathBuf = path.components().collect();
        look_at(&repository, path.clone()).map_err(|source| Error::Read { path, source })
    }

    /// Without a commit there is nothing to start a session from.
    pub fn has_commits(&self) -> bool {
        self.head.is_some()
    }
}

/// The URL of the remote a person would name, as it stands in the configuration.
pub(super) fn remote_url(repository: &Repository) -> Option<String> {
    let remotes = repository.remotes().ok()?;
    let names: Vec<&str> = remotes
        .iter()
        .filter_map(|name| name.ok().flatten())
        .collect();
    let name = match names.as_slice() {
        [only] => only,
        several => several.iter().find(|&&name| name == "origin")?,
    };
    repository
        .find_remote(name)
        .ok()?
        .url()
        .ok()
        .map(str::to_owned)
}

fn look_at(repository: &Repository, path: PathBuf) -> Result<Project, git2::Error> {
    let remote = remote_url(repository).as_deref().and_then(normalise);
    let head = repository
        .head()
        .ok()
        .and_then(|head| head.peel_to_commit().ok())
        .map(|commit| commit.id());
    let root_commit = match (&remote, head) {
        (None, Some(head)) if !repository.is_shallow() => root_of(repository, head)?,
        _ => None,
    };
    let folder = path
        .file_name()
        .map_or_else(|| "/".into(), |name| name.to_string_lossy().into_owned());
    Ok(Project {
        id: id(remote.as_deref(), root_commit.as_deref(), &path),
        name: remote
            .as_deref()
            .and_then(last_segment)
            .map_or(folder, str::to_owned),
        remote,
        root_commit,
        branch: branch(repository),
        head: head.map(|commit| commit.to_string()),
        uncommitted: uncommitted(repository)?,
        path,
    })
}

/// `github.com/acme/boat`, whichever way the URL was written. None for a path: it means nothing on another host.
fn normalise(url: &str) -> Option<String> {
    let (authority, path) = match url.split_once("://") {
        Some(("file", _)) => return None,
        Some((_, rest)) => rest.split_once('/')?,
        // git@host:path
        None => url
            .split_once(':')
            .filter(|(host, _)| !host.contains('/'))?,
    };
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_user, host)| host)
        .to_lowercase();
    let host = [":22", ":80", ":443", ":9418"]
        .iter()
        .find_map(|port| host.strip_suffix(port))
        .unwrap_or(&host);
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path).trim_matches('/');
    (!host.is_empty() && !path.is_empty()).then(|| format!("{host}/{path}"))
}

/// Readable where there is a name that all hosts share, and unique by a hash in any case.
fn id(remote: Option<&str>, root_commit: Option<&str>, path: &Path) -> String {
    let identity = match (remote, root_commit) {
        (Some(remote), _) => format!("remote {remote}"),
        (None, Some(root)) => format!("root {root}"),
        (None, None) => format!("path {}", path.display()),
    };
    let hash = hex::encode(Sha256::digest(identity));
    let name: String = remote
        .and_then(last_segment)
        .unwrap_or("local")
        .chars()
        .take(40)
        .collect();
    let name = name
        .to_lowercase()
        .replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    format!("{}-{}", name.trim_matches('-'), &hash[..12])
}

fn last_segment(remote: &str) -> Option<&str> {
    remote.rsplit('/').next()
}

/// The first commit of the line that HEAD is on: branches of one project meet there.
fn root_of(repository: &Repository, head: git2::Oid) -> Result<Option<String>, git2::Error> {
    let mut walk = repository.revwalk()?;
    walk.set_sorting(Sort::TOPOLOGICAL)?;
    walk.simplify_first_parent()?;
    walk.push(head)?;
    Ok(walk.last().transpose()?.map(|root| root.to_string()))
}

fn branch(repository: &Repository) -> Option<String> {
    let head = repository.find_reference("HEAD").ok()?;
    let target = head.symbolic_target().ok().flatten()?;
    target.strip_prefix("refs/heads/").map(str::to_owned)
}

fn uncommitted(repository: &Repository) -> Result<usize, git2::Error> {
    if repository.is_bare() {
        return Ok(0);
    }
    let mut options = StatusOptions::new();
    // Said although it is the default: the index is the person's.
    options.update_index(false);
    options
        .include_untracked(true)
        .recurse_untracked_dirs(false)
        .exclude_submodules(true);
    Ok(repository.statuses(Some(&mut options))?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_remote_is_the_same_project() {
        for url in [
            "https://github.com/acme/Boat.git",
            "https://ada:secret@GitHub.com/acme/Boat",
            "git@github.com:acme/Boat.git",
            "ssh://git@github.com:22/acme/Boat.git/",
            "git://github.com/acme/Boat",
        ] {
            assert_eq!(
                normalise(url).as_deref(),
                Some("github.com/acme/Boat"),
                "{url}"
            );
        }
        assert_eq!(
            normalise("ssh://git@forge.lan:2222/a/b.git").as_deref(),
            Some("forge.lan:2222/a/b")
        );
    }

    #[test]
    fn a_path_on_this_machine_is_not_a_name_for_other_machines() {
        for url in [
            "/srv/git/boat.git",
            "../boat",
            "file:///srv/git/boat.git",
            "./odd:name",
            "",
        ] {
            assert_eq!(normalise(url), None, "{url}");
        }
    }

    #[test]
    fn an_id_is_a_file_name_and_readable_where_it_can_be() {
        let id_of = |remote| id(Some(remote), None, Path::new("/"));
        assert!(id_of("github.com/acme/Boat House").starts_with("boat-house-"));
        assert_ne!(id_of("github.com/acme/boat"), id_of("github.com/bob/boat"));
        assert!(id(None, Some("0123"), Path::new("/a")).starts_with("local-"));
        assert_eq!(
            id(None, Some("0123"), Path::new("/a")),
            id(None, Some("0123"), Path::new("/b"))
        );
    }
}
