//! A small repository to try the first session on, for who names no project.
//!
//! Made once. What people and agents do to it afterwards is theirs.

use std::path::{Path, PathBuf};

use git2::{Repository, RepositoryInitOptions, Signature};

use crate::data::DataFolder;
use crate::failure::Failure;

const BRANCH: &str = "main";

/// Few and readable: the first diff a person sees should be understood at a glance.
const FILES: [(&str, &str); 3] = [
    ("README.md", include_str!("demo/README.md")),
    ("tide.py", include_str!("demo/tide.py")),
    ("test_tide.py", include_str!("demo/test_tide.py")),
];

/// The demo repository of this installation.
pub fn open(data: &DataFolder) -> Result<PathBuf, Failure> {
    let path = data.demo_project();
    if !path.join(".git").exists() {
        make(&path).map_err(|error| {
            Failure::because(
                format!("could not make the demo project `{}`", path.display()),
                &*error,
            )
        })?;
    }
    Ok(path)
}

fn make(path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    // Beside its place, so that one whose making was interrupted is not taken for a whole one.
    let draft = path.with_extension("draft");
    if draft.exists() {
        std::fs::remove_dir_all(&draft)?;
    }
    let mut options = RepositoryInitOptions::new();
    // No template: it would bring the hooks of whoever runs this.
    options.initial_head(BRANCH).external_template(false);
    let repository = Repository::init_opts(&draft, &options)?;
    let mut index = repository.index()?;
    for (name, content) in FILES {
        std::fs::write(draft.join(name), content)?;
        index.add_path(Path::new(name))?;
    }
    index.write()?;
    let tree = repository.find_tree(index.write_tree()?)?;
    let author = Signature::now("Flotilla", "demo@flotilla.invalid")?;
    repository.commit(
        Some("HEAD"),
        &author,
        &author,
        "A small program to try an agent on",
        &tree,
        &[],
    )?;
    std::fs::rename(&draft, path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_a_clean_repository_with_one_commit_and_is_made_once() {
        let place = tempfile::tempdir().unwrap();
        let data = DataFolder::find(Some(&place.path().join("größe 1"))).unwrap();
        std::fs::create_dir(data.path()).unwrap();
        let path = open(&data).unwrap();
        let repository = Repository::open(&path).unwrap();
        assert!(repository.statuses(None).unwrap().is_empty());
        let head = repository.head().unwrap();
        assert_eq!(head.shorthand().unwrap(), BRANCH);
        let first = head.target().unwrap();

        std::fs::write(path.join("tide.py"), "changed").unwrap();
        open(&data).unwrap();
        assert_eq!(repository.head().unwrap().target(), Some(first));
        assert_eq!(
            std::fs::read_to_string(path.join("tide.py")).unwrap(),
            "changed"
        );
    }
}
