//! The arrows of the house: `nats → {coordinator, runner} → cli`, and `testkit` for tests alone.
//! What a file may import is what makes the tree readable, so a test holds it.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const CRATES: [&str; 5] = ["nats", "coordinator", "runner", "cli", "testkit"];

#[test]
fn the_crates_depend_on_each_other_in_one_direction() {
    for (name, allowed) in [
        ("nats", &[][..]),
        ("coordinator", &["nats"]),
        ("runner", &["nats"]),
        ("cli", &["nats", "coordinator", "runner"]),
        ("testkit", &[]),
    ] {
        let allowed: BTreeSet<String> = allowed.iter().map(|it| (*it).to_owned()).collect();
        let found = dependencies(name, "dependencies");
        assert!(
            found.is_subset(&allowed),
            "{name} depends on {found:?}, and may only on {allowed:?}"
        );
        let in_tests = dependencies(name, "dev-dependencies");
        assert!(
            in_tests
                .iter()
                .all(|it| it == "testkit" || allowed.contains(it)),
            "the tests of {name} depend on {in_tests:?}"
        );
    }
}

#[test]
fn only_the_wire_crate_spells_a_subject() {
    let starts = ["\"fleet.", "\"audit.decision", "\"$JS.", "\"$KV."];
    for name in ["coordinator", "runner", "cli"] {
        for path in sources(&root().join(name).join("src"), "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let spelled = text.lines().find(|line| {
                let code = line.split("//").next().unwrap_or_default();
                starts.iter().any(|start| code.contains(start))
            });
            assert_eq!(spelled, None, "{} spells a subject", path.display());
        }
    }
}

#[test]
fn the_web_knows_generated_types_only() {
    let crates = ["/nats/", "/coordinator/", "/runner/", "/cli/"];
    for extension in ["ts", "tsx"] {
        for path in sources(&root().join("web/src"), extension) {
            let text = std::fs::read_to_string(&path).unwrap();
            let outside = text
                .lines()
                .find(|line| line.contains("from \"") && crates.iter().any(|it| line.contains(it)));
            assert_eq!(
                outside,
                None,
                "{} reaches into the Rust crates",
                path.display()
            );
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// The crates of this house that `name` depends on, in the given section of its manifest.
fn dependencies(name: &str, section: &str) -> BTreeSet<String> {
    let manifest = std::fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let Some(section) = manifest.get(section).and_then(toml::Value::as_table) else {
        return BTreeSet::new();
    };
    section
        .keys()
        .filter(|key| CRATES.contains(&key.as_str()))
        .cloned()
        .collect()
}

fn sources(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found
}
