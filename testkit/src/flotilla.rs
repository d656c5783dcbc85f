//! Where the built `flotilla` binary is. Knows nothing of what it does.

use std::path::{Path, PathBuf};

/// The binary named in `FLOTILLA_BIN`, else the one that cargo built beside the running test.
pub fn path() -> PathBuf {
    if let Some(named) = std::env::var_os("FLOTILLA_BIN") {
        let named = PathBuf::from(named);
        assert!(
            named.is_file(),
            "FLOTILLA_BIN names {}, and there is no file",
            named.display()
        );
        return named;
    }
    let test = std::env::current_exe().expect("the running test knows its own path");
    beside(&test).unwrap_or_else(|| {
        panic!(
            "no `flotilla` beside {}: build it with `cargo build -p cli`, or name it in FLOTILLA_BIN",
            test.display()
        )
    })
}

/// A test runs from `target/debug/deps/` (a binary from `target/debug/`), and `flotilla` is in `target/debug/`.
fn beside(test: &Path) -> Option<PathBuf> {
    test.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("flotilla"))
        .find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_is_found_from_a_test_and_from_a_binary_beside_it() {
        let target = tempfile::tempdir().unwrap();
        let deps = target.path().join("deps");
        std::fs::create_dir(&deps).unwrap();
        assert_eq!(beside(&deps.join("some_test-0123")), None);
        let flotilla = target.path().join("flotilla");
        std::fs::write(&flotilla, "").unwrap();
        assert_eq!(beside(&deps.join("some_test-0123")), Some(flotilla.clone()));
        assert_eq!(
            beside(&target.path().join("scripted-model")),
            Some(flotilla)
        );
    }
}
