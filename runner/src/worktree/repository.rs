//! Opening and making repositories with libgit2, the same way everywhere.
//! Knows how a repository is reached and whose it may be; not what it is for.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Once;

use git2::{Repository, RepositoryInitOptions, RepositoryOpenFlags};

/// libgit2 then syncs each object and ref that it writes, and the folder it is in.
const FORCED_OUT: &str = "core.fsyncObjectFiles";

/// Opens a person's repository: at `path` or above it, whoever owns it.
pub(super) fn discover(path: &Path) -> Result<Repository, git2::Error> {
    trust_any_owner();
    Repository::open_ext(path, RepositoryOpenFlags::empty(), [] as [&Path; 0])
}

/// Opens exactly the repository whose git folder is `folder`.
pub(super) fn open(folder: &Path) -> Result<Repository, git2::Error> {
    trust_any_owner();
    let flags = RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::NO_DOTGIT;
    Repository::open_ext(folder, flags, [] as [&Path; 0])
}

/// Makes a repository that borrows the objects of another. Without a template: that would bring hooks.
pub(super) fn init(
    path: &Path,
    bare: bool,
    borrow_from: Option<&Path>,
) -> Result<Repository, git2::Error> {
    trust_any_owner();
    let mut options = RepositoryInitOptions::new();
    options
        .bare(bare)
        .external_template(false)
        .no_reinit(true)
        .mkpath(true);
    let repository = Repository::init_opts(path, &options)?;
    if bare {
        // Ours, not an agent's: an object or ref that a power cut emptied would be taken for one that is there.
        repository.config()?.set_bool(FORCED_OUT, true)?;
    }
    let Some(lender) = borrow_from else {
        return Ok(repository);
    };
    let mut line = lender.join("objects").into_os_string().as_bytes().to_vec();
    line.push(b'\n');
    let info = repository.path().join("objects/info");
    std::fs::create_dir_all(&info)
        .and_then(|()| std::fs::write(info.join("alternates"), line))
        .map_err(|error| git2::Error::from_str(&format!("could not write alternates: {error}")))?;
    let folder = repository.path().to_owned();
    open(&folder) // again: what it borrows is read when a repository is opened
}

/// A local path as a URL: a bare path with a colon in it would be taken for another machine's.
pub(super) fn file_url(path: &Path) -> String {
    let mut url = String::from("file://");
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                url.push(byte.into())
            }
            _ => _ = write!(url, "%{byte:02X}"),
        }
    }
    url
}

/// The people's checkouts and the agents' worktrees belong to other users than the runner's. The check for that exists
/// because git would run what a stranger's configuration says; libgit2 does not, so there is nothing to be kept from.
#[expect(
    unsafe_code,
    reason = "libgit2 keeps this as a global that must not change while it is in use"
)]
fn trust_any_owner() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: set once, before the first repository is opened: everything here is opened through this module.
        let set = unsafe { git2::opts::set_verify_owner_validation(false) };
        if let Err(error) = set {
            tracing::warn!(%error, "repositories of other users cannot be opened");
        }
    });
}
