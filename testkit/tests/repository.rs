//! Repositories as people have them, and the proof that nobody touched them.

use std::os::unix::fs::PermissionsExt;

use testkit::repository::{Repository, Snapshot, snapshot};

fn shop() -> Repository {
    Repository::new("shop")
        .file("README.md", "# Shop\n")
        .file("src/main.py", "print('hi')\n")
        .commit()
}

fn changes(before: &Snapshot, repository: &Repository) -> Vec<String> {
    before.differences(&repository.snapshot())
}

#[test]
fn a_committed_checkout_is_clean_and_a_written_file_makes_it_dirty() {
    let repository = shop();
    assert!(repository.head().is_some());
    assert_eq!(repository.git().statuses(None).unwrap().len(), 0);
    let repository = repository
        .file("README.md", "# Changed\n")
        .file("new.txt", "");
    assert_eq!(repository.git().statuses(None).unwrap().len(), 2);
}

#[test]
fn a_new_repository_is_empty_and_on_main() {
    let repository = Repository::new("empty");
    assert_eq!(repository.head(), None);
    assert_eq!(
        repository
            .git()
            .find_reference("HEAD")
            .unwrap()
            .symbolic_target()
            .unwrap(),
        Some("refs/heads/main")
    );
}

#[test]
fn a_name_may_hold_spaces_and_other_letters() {
    let repository = Repository::new("mein kleiner Lädchen 商店")
        .file("a b ü.txt", "x")
        .commit();
    assert!(repository.path().ends_with("mein kleiner Lädchen 商店"));
    assert_eq!(repository.read("a b ü.txt"), "x");
    assert_eq!(repository.git().statuses(None).unwrap().len(), 0);
}

#[test]
fn the_same_files_make_the_same_commit_everywhere() {
    assert_eq!(shop().head(), shop().head());
}

#[test]
fn looking_twice_sees_the_same() {
    let repository = shop();
    assert_eq!(repository.snapshot(), snapshot(repository.path()));
}

#[test]
fn every_kind_of_touch_is_seen() {
    let repository = shop();
    let before = repository.snapshot();

    let repository = repository
        .file("README.md", "# Shop!\n")
        .file("notes/a.txt", "");
    assert_eq!(
        changes(&before, &repository),
        [
            "file README.md changed",
            "file notes/ appeared",
            "file notes/a.txt appeared"
        ]
    );
    let repository = repository
        .file("README.md", "# Shop\n")
        .without("notes/a.txt");
    std::fs::remove_dir(repository.path().join("notes")).unwrap();
    assert_eq!(changes(&before, &repository), Vec::<String>::new());

    let repository = repository.branch("flotilla/ab12");
    assert_eq!(
        changes(&before, &repository),
        ["ref refs/heads/flotilla/ab12 appeared"]
    );

    let before = repository.snapshot();
    repository
        .git()
        .set_head("refs/heads/flotilla/ab12")
        .unwrap();
    assert_eq!(changes(&before, &repository), ["HEAD changed"]);

    let before = repository.snapshot();
    let script = repository.path().join("src/main.py");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(changes(&before, &repository), ["file src/main.py changed"]);

    let before = repository.snapshot();
    let repository = repository.remote("origin", "https://example.com/shop.git");
    std::fs::create_dir_all(repository.git().path().join("hooks")).unwrap();
    std::fs::write(
        repository.git().path().join("hooks/post-commit"),
        "#!/bin/sh\n",
    )
    .unwrap();
    assert_eq!(
        changes(&before, &repository),
        ["config changed", "hooks/post-commit appeared"]
    );

    let before = repository.snapshot();
    let repository = repository.file("staged.txt", "").stage();
    assert_eq!(
        changes(&before, &repository),
        ["index changed", "file staged.txt appeared"]
    );
}
