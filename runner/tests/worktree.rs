//! The promises of a worktree, each tried on real repositories:
//! - the person's checkout is the same before and after, to the byte,
//! - nothing that a repository's configuration names is run,
//! - whatever changed is seen, and nothing is seen that did not change,
//! - nothing a session did is gone when its worktree is.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as the test does")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use runner::worktree::{Change, Changes, Created, Error, FileChange, Project, Store, Worktree};
use tempfile::TempDir;
use testkit::repository::Repository;

/// A runner's folder.
struct Host {
    folder: TempDir,
}

impl Host {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn store(&self, project: &Project) -> Store {
        Store::open(&self.folder.path().join("runner/stores"), &project.id).unwrap()
    }

    fn path(&self, short_id: &str) -> PathBuf {
        self.folder.path().join("worktrees/project").join(short_id)
    }

    fn create(
        &self,
        checkout: &Repository,
        short_id: &str,
        base: Option<&str>,
    ) -> Result<Created, Error> {
        let project = Project::recognise(checkout.path())?;
        Worktree::create(
            &self.store(&project),
            &project,
            &self.path(short_id),
            short_id,
            base,
        )
    }
}

fn boat() -> Repository {
    Repository::new("boat")
        .file("README.md", "one\ntwo\nthree\n")
        .file("src/main.rs", "fn main() {}\n")
        .commit()
}

fn read(worktree: &Worktree, path: &str) -> String {
    fs::read_to_string(worktree.path().join(path)).unwrap()
}

fn write(worktree: &Worktree, path: &str, text: impl AsRef<[u8]>) {
    let path = worktree.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn shell(worktree: &Worktree, script: &str) {
    let status = Command::new("sh")
        .args(["-ec", script])
        .current_dir(worktree.path())
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", worktree.path())
        .status();
    assert!(status.unwrap().success());
}

/// One word per file: what happened to which.
fn told(changes: &Changes) -> Vec<String> {
    let one = |file: &FileChange| {
        let sign = match file.change {
            Change::Created => "+",
            Change::Modified => "~",
            Change::Deleted => "-",
            Change::Renamed => ">",
        };
        let from = file
            .old_path
            .as_ref()
            .map(|old| format!("{old} "))
            .unwrap_or_default();
        format!("{from}{sign}{}", file.path)
    };
    changes.files.iter().map(one).collect()
}

#[test]
fn a_worktree_holds_the_checkouts_commit_on_a_branch_of_its_own() {
    let (host, checkout) = (Host::new(), boat());
    let created = host.create(&checkout, "k7", None).unwrap();
    assert_eq!(created.branch, "flotilla/k7");
    assert_eq!(Some(&created.base), checkout.head().as_ref());
    assert_eq!(created.worktree.base().unwrap(), created.base);
    assert_eq!(created.uncommitted, 0);
    assert_eq!(read(&created.worktree, "src/main.rs"), "fn main() {}\n");
    let clone = git2::Repository::open(created.worktree.path()).unwrap();
    assert_eq!(
        clone.head().unwrap().name().unwrap(),
        "refs/heads/flotilla/k7"
    );
    assert!(clone.statuses(None).unwrap().is_empty());
    assert_eq!(
        Worktree::open(
            &host.store(&Project::recognise(checkout.path()).unwrap()),
            &host.path("k7"),
            "k7"
        )
        .unwrap(),
        created.worktree
    );
}

#[test]
fn the_git_program_agrees_that_the_worktree_is_whole_and_clean() {
    let (host, checkout) = (Host::new(), boat());
    let worktree = host.create(&checkout, "k7", None).unwrap().worktree;
    shell(
        &worktree,
        "git fsck --strict && test -z \"$(git status --porcelain)\" && git log -1 && git rev-parse main",
    );
}

#[test]
fn the_persons_checkout_is_the_same_to_the_byte_after_a_whole_session() {
    let (host, checkout) = (
        Host::new(),
        boat()
            .branch("other")
            .file("README.md", "changed\n")
            .file("new", "x"),
    );
    // An index whose times no longer fit: anything that refreshes it would write it.
    let file = fs::File::options()
        .write(true)
        .open(checkout.path().join("src/main.rs"))
        .unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    let before = checkout.snapshot();
    let index_before = fs::metadata(checkout.path().join(".git/index"))
        .unwrap()
        .modified()
        .unwrap();

    let created = host.create(&checkout, "k7", None).unwrap();
    assert_eq!(created.uncommitted, 2);
    assert_eq!(
        read(&created.worktree, "README.md"),
        "one\ntwo\nthree\n",
        "the commit, not the dirt"
    );
    let snapshot = created.worktree.snapshot().unwrap();
    write(&created.worktree, "README.md", "agent\n");
    shell(
        &created.worktree,
        "git -c user.name=a -c user.email=a@a commit -qam work; echo y > z",
    );
    created.worktree.changes_since(&snapshot).unwrap();
    created.worktree.diff().unwrap();
    let store = host.store(&Project::recognise(checkout.path()).unwrap());
    created.worktree.remove(&store).unwrap();

    assert_eq!(
        before.differences(&checkout.snapshot()),
        Vec::<String>::new()
    );
    let index_after = fs::metadata(checkout.path().join(".git/index"))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(index_before, index_after);
}

#[test]
fn names_with_spaces_colons_and_other_alphabets_are_names() {
    let (host, checkout) = (
        Host::new(),
        Repository::new("böse: 船 %41 'x'")
            .file("späße/mit leer.txt", "ü\n")
            .commit(),
    );
    let worktree = host.create(&checkout, "k7", None).unwrap().worktree;
    assert_eq!(read(&worktree, "späße/mit leer.txt"), "ü\n");
    let before = worktree.snapshot().unwrap();
    write(&worktree, "späße/mit leer.txt", "ö\n");
    let (changes, _) = worktree.changes_since(&before).unwrap();
    assert_eq!(told(&changes), ["~späße/mit leer.txt"]);
    assert!(changes.files[0].patch.contains("-ü\n+ö\n"));
}

#[test]
fn a_checkout_without_a_commit_is_told_to_make_one() {
    let (host, checkout) = (Host::new(), Repository::new("empty").file("a", "b"));
    let project = Project::recognise(checkout.path()).unwrap();
    assert_eq!(
        (project.branch.as_deref(), project.has_commits()),
        (Some("main"), false)
    );
    let refused = host.create(&checkout, "k7", None).unwrap_err();
    assert!(
        refused.to_string().contains("make a first commit"),
        "{refused}"
    );
    assert!(!host.path("k7").exists());
}

#[test]
fn a_folder_that_is_no_repository_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        Project::recognise(folder.path()),
        Err(Error::NotARepository { .. })
    ));
}

#[test]
fn a_project_is_recognised_by_its_remote_and_without_one_by_its_first_commit() {
    let (one, other) = (
        boat().remote("origin", "git@github.com:acme/boat.git"),
        boat(),
    );
    let (one, other) = (
        Project::recognise(one.path()).unwrap(),
        Project::recognise(other.path()).unwrap(),
    );
    assert_eq!(one.remote.as_deref(), Some("github.com/acme/boat"));
    assert!(one.id.starts_with("boat-"), "{}", one.id);
    assert!(
        other.id.starts_with("local-") && other.root_commit.is_some(),
        "{other:?}"
    );
    // The same first commit, made elsewhere, in a folder called otherwise, with more on top.
    let elsewhere = Repository::new("ship")
        .file("README.md", "one\ntwo\nthree\n")
        .file("src/main.rs", "fn main() {}\n")
        .commit()
        .file("more", "")
        .commit();
    let inside = Project::recognise(&elsewhere.path().join(".git/..")).unwrap();
    assert_eq!((inside.id, inside.name.as_str()), (other.id, "ship"));
}

#[test]
fn a_detached_head_is_a_base_and_has_no_branch() {
    let (host, checkout) = (Host::new(), boat());
    let first = checkout.git().head().unwrap().target().unwrap();
    let checkout = checkout.file("README.md", "later\n").commit();
    checkout.git().set_head_detached(first).unwrap();
    let project = Project::recognise(checkout.path()).unwrap();
    assert_eq!(
        (project.branch, project.head),
        (None, Some(first.to_string()))
    );
    let worktree = host.create(&checkout, "k7", None).unwrap().worktree;
    assert_eq!(read(&worktree, "README.md"), "one\ntwo\nthree\n");
}

#[test]
fn a_base_is_a_branch_a_remotes_branch_a_tag_or_a_commit() {
    let (host, checkout) = (Host::new(), boat().branch("feature/ä"));
    let first = checkout.head().unwrap();
    let oid = git2::Oid::from_str(&first).unwrap();
    let git = checkout.git();
    git.reference("refs/remotes/origin/theirs", oid, false, "")
        .unwrap();
    git.tag_lightweight("v1", &git.find_object(oid, None).unwrap(), false)
        .unwrap();
    let checkout = checkout.file("README.md", "later\n").commit();
    for (place, base) in [
        "feature/ä",
        "origin/theirs",
        "theirs",
        "v1",
        &first,
        &first[..8],
    ]
    .iter()
    .enumerate()
    {
        let created = host
            .create(&checkout, &format!("k{place}"), Some(base))
            .unwrap();
        assert_eq!(created.base, first, "{base}");
    }
    for unknown in ["nothing", "0123456789", "HEAD~1", "../main", ""] {
        let refused = host.create(&checkout, "k99", Some(unknown)).unwrap_err();
        assert!(
            matches!(refused, Error::UnknownBase { .. }),
            "{unknown}: {refused}"
        );
    }
}

#[test]
fn a_session_finds_the_branch_of_an_earlier_one_and_none_takes_anothers_place() {
    let (host, checkout) = (Host::new(), boat());
    let store = host.store(&Project::recognise(checkout.path()).unwrap());
    let first = host.create(&checkout, "k1", None).unwrap().worktree;
    shell(
        &first,
        "echo new > new; git add new; git -c user.name=a -c user.email=a@a commit -qm new",
    );
    assert!(matches!(
        host.create(&checkout, "k1", None),
        Err(Error::WorktreeExists(_))
    ));
    let kept = first.remove(&store).unwrap();
    assert_eq!(kept.uncommitted, None);
    let second = host.create(&checkout, "k2", Some("flotilla/k1")).unwrap();
    assert_eq!(second.base, kept.head);
    assert_eq!(read(&second.worktree, "new"), "new\n");
}

#[test]
fn names_that_would_leave_their_folder_are_refused() {
    let (host, checkout) = (Host::new(), boat());
    for name in ["../up", "", ".git", "a b", "x.lock", "-f", "a..b"] {
        assert!(
            matches!(host.create(&checkout, name, None), Err(Error::Name(_))),
            "{name}"
        );
    }
    assert!(matches!(
        Store::open(host.folder.path(), "../up"),
        Err(Error::Name(_))
    ));
}

#[test]
fn what_a_repositorys_configuration_would_run_is_not_run() {
    let host = Host::new();
    let proof = host.folder.path().join("was-run");
    let program = host.folder.path().join("program");
    fs::write(
        &program,
        format!("#!/bin/sh\necho \"$0 $*\" >> '{}'\ncat\n", proof.display()),
    )
    .unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let arm = |repository: &git2::Repository| {
        let mut config = repository.config().unwrap();
        let program = program.to_str().unwrap();
        for key in [
            "core.fsmonitor",
            "filter.evil.smudge",
            "filter.evil.clean",
            "filter.evil.process",
            "diff.evil.command",
            "diff.evil.textconv",
            "core.sshCommand",
            "core.askPass",
            "credential.helper",
            "uploadpack.packObjectsHook",
            "core.editor",
        ] {
            config.set_str(key, program).unwrap();
        }
        config
            .set_str("core.hooksPath", host.folder.path().to_str().unwrap())
            .unwrap();
        let hooks = repository.path().join("hooks");
        fs::create_dir_all(&hooks).unwrap();
        for hook in [
            "post-checkout",
            "reference-transaction",
            "post-index-change",
            "pre-commit",
            "post-commit",
        ] {
            for folder in [&hooks, &host.folder.path().to_owned()] {
                fs::copy(program, folder.join(hook)).unwrap();
            }
        }
    };
    let checkout = boat()
        .file(".gitattributes", "* filter=evil diff=evil\n")
        .commit()
        .file("README.md", "dirty\n");
    arm(checkout.git());
    let created = host.create(&checkout, "k7", None).unwrap();
    let clone = git2::Repository::open(created.worktree.path()).unwrap();
    assert!(
        clone
            .config()
            .unwrap()
            .get_string("core.fsmonitor")
            .is_err(),
        "the checkout's configuration is not the worktree's"
    );
    assert!(!clone.path().join("hooks/post-checkout").exists());
    arm(&clone);
    let before = created.worktree.snapshot().unwrap();
    write(&created.worktree, "README.md", "changed\n");
    let (changes, _) = created.worktree.changes_since(&before).unwrap();
    assert_eq!(told(&changes), ["~README.md"]);
    created.worktree.diff().unwrap();
    let store = host.store(&Project::recognise(checkout.path()).unwrap());
    created.worktree.remove(&store).unwrap();
    assert!(
        !proof.exists(),
        "{}",
        fs::read_to_string(&proof).unwrap_or_default()
    );
}

#[test]
fn the_author_and_the_remote_come_along_and_a_password_does_not() {
    let (host, checkout) = (
        Host::new(),
        boat().remote("origin", "https://ada:secret@forge.example/acme/boat.git"),
    );
    let mut config = checkout.git().config().unwrap();
    config.set_str("user.name", "Ada Lovelace").unwrap();
    config.set_str("user.email", "ada@example.com").unwrap();
    let worktree = host.create(&checkout, "k7", None).unwrap().worktree;
    shell(
        &worktree,
        "git commit -q --allow-empty -m x; git log -1 --format='%an <%ae>' > .git/author; git remote get-url origin >> .git/author",
    );
    assert_eq!(
        read(&worktree, ".git/author"),
        "Ada Lovelace <ada@example.com>\nhttps://forge.example/acme/boat.git\n"
    );
    assert!(!read(&worktree, ".git/config").contains("secret"));
}

#[test]
fn changes_are_told_once_with_the_patch_since_the_last_look() {
    let (host, checkout) = (Host::new(), boat().file("gone", "x\n").commit());
    let worktree = host.create(&checkout, "k7", None).unwrap().worktree;
    let start = worktree.snapshot().unwrap();
    let (nothing, same) = worktree.changes_since(&start).unwrap();
    assert!(nothing.is_empty() && same == start);

    shell(
        &worktree,
        "sed -i s/two/2/ README.md; rm gone; mkdir -p a/b; printf '1\\n2\\n' > a/b/c",
    );
    let (changes, second) = worktree.changes_since(&start).unwrap();
    assert_eq!(told(&changes), ["~README.md", "+a/b/c", "-gone"]);
    assert_eq!((changes.added, changes.removed), (3, 2));
    let readme = &changes.files[0];
    assert_eq!((readme.added, readme.removed), (1, 1));
    assert!(
        readme
            .patch
            .starts_with("diff --git a/README.md b/README.md"),
        "{}",
        readme.patch
    );

    // Since the last look, not since the base.
    shell(&worktree, "sed -i s/three/3/ README.md");
    let (changes, third) = worktree.changes_since(&second).unwrap();
    assert_eq!(told(&changes), ["~README.md"]);
    assert!(
        changes.files[0]
            .patch
            .contains("@@ -1,3 +1,3 @@\n one\n 2\n-three\n+3\n"),
        "{}",
        changes.files[0].patch
    );

    // Committing changes no file.
    shell(
        &worktree,
        "git add -A; git -c user.name=a -c user.email=a@a commit -qm work",
    );
    assert!(worktree.changes_since(&third).unwrap().0.is_empty());
    // And the older snapshot is still good, as for a runner that crashed before it stored the newer.
    assert_eq!(
        told(&worktree.changes_since(&start).unwrap().0),
        ["~README.md", "+a/b/c", "-gone"]
    );
    let whole = worktree.diff().unwrap();
    assert_eq!(told(&whole), ["~README.md", "+a/b/c", "-gone"]);
    assert_eq!((whole.added, whole.removed), (4, 3));
}

#[test]
fn a_snapshot_survives_being_stored() {
    let (host, checkout) = (Host::new(), boat());
    let worktree = host.create(&checkout, "k7", None).unwrap().worktree;
    let stored = serde_json::to_string(&worktree.snapshot().unwrap()).unwrap();
    write(&worktree, "new", "x");
    let restored = serde_json::from_str(&stored).unwrap();
    assert_eq!(
        told(&worktree.changes_since(&restored).unwrap().0),
        ["+new"]
    );
    let nonsense = serde_json::from_str("\"0000000000000000000000000000000000000001\"").unwrap();
    assert!(matches!(
        worktree.changes_since(&nonsense),
        Err(Error::UnknownSnapshot(_))
    ));
}

#[test]
fn edits_of_the_same_size_in_the_same_instant_are_all_seen() {
    let (host, checkout) = (Host::new(), boat());
    let worktree = host.create(&checkout, "k7", None).unwrap().worktree;
    let mut before = worktree.snapshot().unwrap();
    for round in 10..99 {
        write(&worktree, "README.md", format!("{round}\n"));
        let (changes, now) = worktree.changes_since(&before).unwrap();
        assert_eq!(told(&changes), ["~README.md"], "round {round}");
        before = now;
    }
}

#[test]
fn a_rename_a_binary_a_link_and_a_mode_are_told_as_what_they_are() {
    let long: String = (0..50).map(|line| format!("line {line}\n")).collect();
    let (host, checkout) = (Host::new(), boat().file("old name", &long).commit());
    let worktree = host.create(&checkout, "k7", None).unwrap().worktree;
    let before = worktree.snapshot().unwrap();
    shell(
        &worktree,
        "mv 'old name' 'new name'; echo more >> 'new name'; printf 'a\\0b' > image; ln -s /etc/passwd link; chmod +x src/main.rs",
    );
    let (changes, _) = worktree.changes_since(&before).unwrap();
    assert_eq!(
        told(&changes),
        ["+image", "+link", "old name >new name", "~src/main.rs"]
    );
    let [image, link, renamed, mode] = changes.files.as_slice() else {
        panic!("{changes:?}")
    };
    assert!(image.binary && image.patch.is_empty());
    assert!(
        link.patch.contains("+/etc/passwd") && !link.patch.contains("root:"),
        "the link, not what it points to"
    );
    assert_eq!((renamed.added, renamed.removed), (1, 0));
    assert!(mode.patch.contains("new mode 100755"), "{}", mode.patch);
}

#[test]
fn a_folder_in_the_place_of_a_file_and_a_file_in_the_place_of_a_folder() {
    let (host, checkout) = (Host::new(), boat());
    let worktree = host.create(&checkout, "k7", None).unwrap().worktree;
    let before = worktree.snapshot().unwrap();
    shell(
        &worktree,
        "rm README.md; mkdir README.md; echo a > README.md/a; rm -r src; echo b > src",
    );
    let (changes, _) = worktree.changes_since(&before).unwrap();
    let mut told = told(&changes);
    told.sort();
    assert_eq!(told, ["+README.md/a", "+src", "-README.md", "-src/main.rs"]);
}

#[test]
fn ignored_files_and_repositories_inside_are_left_out() {
    let (host, checkout) = (
        Host::new(),
        boat().file(".gitignore", "/target\n*.log\n").commit(),
    );
    let worktree = host.create(&checkout, "k7", None).unwrap().worktree;
    let before = worktree.snapshot().unwrap();
    shell(
        &worktree,
        "mkdir -p target/x; echo 1 > target/x/y; echo 1 > a.log; git init -q inner; echo 1 > inner/f; echo 1 > seen",
    );
    assert_eq!(told(&worktree.changes_since(&before).unwrap().0), ["+seen"]);
    assert_eq!(told(&worktree.diff().unwrap()), ["+seen"]);
}

#[test]
fn a_long_patch_is_cut_at_a_line_and_a_huge_file_is_only_seen() {
    let (host, checkout) = (Host::new(), boat());
    let worktree = host.create(&checkout, "k7", None).unwrap().worktree;
    let before = worktree.snapshot().unwrap();
    let line = "0123456789abcdef\n";
    write(&worktree, "huge", line.repeat(20_000_000 / line.len()));
    write(&worktree, "long", line.repeat(10_000));
    let (changes, now) = worktree.changes_since(&before).unwrap();
    assert_eq!(told(&changes), ["+huge", "+long"]);
    let [huge, long] = changes.files.as_slice() else {
        panic!("{changes:?}")
    };
    assert!(huge.truncated && huge.patch.is_empty() && huge.added == 0);
    assert!(long.truncated && long.patch.len() <= 64 * 1024 && long.patch.ends_with('\n'));
    assert_eq!(long.added, 10_000);
    assert!(worktree.changes_since(&now).unwrap().0.is_empty());
    shell(&worktree, "echo more >> huge");
    let (changes, _) = worktree.changes_since(&now).unwrap();
    assert_eq!(told(&changes), ["~huge"]);
    assert!(changes.files[0].truncated && changes.files[0].patch.is_empty());
}

#[test]
fn beyond_500_files_the_rest_is_counted() {
    let (host, checkout) = (Host::new(), boat());
    let worktree = host.create(&checkout, "k7", None).unwrap().worktree;
    let before = worktree.snapshot().unwrap();
    for number in 0..620 {
        write(&worktree, &format!("many/{number:03}"), "x\n");
    }
    let (changes, _) = worktree.changes_since(&before).unwrap();
    assert_eq!((changes.files.len(), changes.unlisted), (500, 120));
}

#[test]
fn nothing_a_session_did_is_gone_when_its_worktree_is() {
    let (host, checkout) = (Host::new(), boat());
    let store = host.store(&Project::recognise(checkout.path()).unwrap());
    let worktree = host.create(&checkout, "k7", None).unwrap().worktree;
    let line = "0123456789abcdef\n";
    shell(
        &worktree,
        "echo committed > c; git add c; git -c user.name=a -c user.email=a@a commit -qm c; echo dirt >> README.md; echo new > n",
    );
    write(&worktree, "huge", line.repeat(400_000));
    worktree.snapshot().unwrap();
    let path = worktree.path().to_owned();
    let kept = worktree.remove(&store).unwrap();
    assert!(!path.exists());

    let store = git2::Repository::open(store.path()).unwrap();
    let uncommitted = store
        .find_commit(git2::Oid::from_str(&kept.uncommitted.unwrap()).unwrap())
        .unwrap();
    assert_eq!(uncommitted.parent_id(0).unwrap().to_string(), kept.head);
    let tree = uncommitted.tree().unwrap();
    let size = |path: &str| {
        let entry = tree.get_path(Path::new(path)).unwrap();
        store.find_blob(entry.id()).unwrap().content().len()
    };
    assert_eq!(
        (size("c"), size("README.md"), size("n"), size("huge")),
        (10, 19, 4, 400_000 * line.len())
    );
    store.find_reference("refs/kept/k7/uncommitted").unwrap();
}

#[test]
fn branches_and_stashes_that_the_agent_made_are_kept_whatever_it_did_to_its_own() {
    let (host, checkout) = (Host::new(), boat());
    let store = host.store(&Project::recognise(checkout.path()).unwrap());
    let worktree = host.create(&checkout, "k7", None).unwrap().worktree;
    worktree.keep(&store).unwrap();
    shell(
        &worktree,
        "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@a
        git checkout -q -b fix; echo x > x; git add x; git commit -qm x
        echo stashed >> README.md; git stash -q; git branch -q -D flotilla/k7; git checkout -q --orphan bare",
    );
    let kept = worktree.remove(&store).unwrap();
    assert_eq!(Some(kept.head), checkout.head());
    let store = git2::Repository::open(store.path()).unwrap();
    for name in ["k7/heads/fix", "k7/stash", "heads/flotilla/k7"] {
        store.find_reference(&format!("refs/kept/{name}")).unwrap();
    }
    let uncommitted = store.find_reference("refs/kept/k7/uncommitted").unwrap();
    let tree = uncommitted.peel_to_tree().unwrap();
    assert!(tree.get_name("x").is_some());
}

#[test]
fn a_worktree_whose_repository_leads_elsewhere_is_not_followed() {
    let (host, checkout) = (Host::new(), boat());
    let before = checkout.snapshot();
    let store = host.store(&Project::recognise(checkout.path()).unwrap());
    let worktree = host.create(&checkout, "k7", None).unwrap().worktree;
    let start = worktree.snapshot().unwrap();
    shell(&worktree, "rm -r .git; echo mine > README.md");
    write(
        &worktree,
        ".git",
        format!("gitdir: {}\n", checkout.path().join(".git").display()),
    );
    assert_eq!(
        told(&worktree.changes_since(&start).unwrap().0),
        ["~README.md"]
    );
    assert!(matches!(worktree.keep(&store), Err(Error::Tampered(_))));
    assert_eq!(
        before.differences(&checkout.snapshot()),
        Vec::<String>::new()
    );
}

#[test]
fn a_shallow_checkout_is_a_project_like_any_other() {
    let (host, origin) = (Host::new(), boat().file("README.md", "later\n").commit());
    let folder = host.folder.path().join("shallow");
    let status = Command::new("git")
        .args(["clone", "-q", "--depth", "1"])
        .arg(format!("file://{}", origin.path().display()))
        .arg(&folder)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .status();
    assert!(status.unwrap().success());
    let project = Project::recognise(&folder).unwrap();
    let created = Worktree::create(
        &host.store(&project),
        &project,
        &host.path("k7"),
        "k7",
        None,
    )
    .unwrap();
    assert_eq!(read(&created.worktree, "README.md"), "later\n");
    shell(&created.worktree, "git log --oneline > .git/log; git fsck");
    assert_eq!(read(&created.worktree, ".git/log").lines().count(), 1);
    write(&created.worktree, "new", "x");
    created
        .worktree
        .remove(&host.store(&project))
        .unwrap()
        .uncommitted
        .unwrap();
}

#[test]
fn a_second_session_takes_over_what_was_committed_since_the_first() {
    let (host, checkout) = (Host::new(), boat());
    host.create(&checkout, "k1", None).unwrap();
    let checkout = checkout.file("README.md", "later\n").commit();
    let second = host.create(&checkout, "k2", None).unwrap();
    assert_eq!(read(&second.worktree, "README.md"), "later\n");
}

#[test]
fn sessions_that_start_at_once_do_not_trip_over_each_other() {
    let (host, checkout) = (Host::new(), boat());
    let project = Project::recognise(checkout.path()).unwrap();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (host, project) = (&host, &project);
            scope.spawn(move || {
                let id = format!("k{number}");
                Worktree::create(&host.store(project), project, &host.path(&id), &id, None)
                    .unwrap();
            });
        }
    });
}
