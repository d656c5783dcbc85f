//! What docs/PROMISES.md says is held by a test, is: every test that it names exists.

use std::path::Path;

#[test]
fn every_promise_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join("docs/PROMISES.md")).unwrap();
    let promises: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| |"))
        .collect();
    assert_eq!(promises.len(), 15, "{promises:?}");
    for promise in promises {
        let named: Vec<(&str, &str)> = promise
            .split('`')
            .skip(1)
            .step_by(2)
            .filter_map(|name| name.split_once("::"))
            .collect();
        assert!(!named.is_empty(), "nothing holds this promise: {promise}");
        for (path, name) in named {
            let source = std::fs::read_to_string(root.join(path))
                .unwrap_or_else(|error| panic!("{path}: {error}"));
            assert!(has_test(path, &source, name), "{path} has no test `{name}`");
        }
    }
}

fn has_test(path: &str, source: &str, name: &str) -> bool {
    if !path.ends_with(".rs") {
        return [format!("it(\"{name}\""), format!("test(\"{name}\"")]
            .iter()
            .any(|declared| source.contains(declared));
    }
    // Its attribute stands on the line before, or one more before that.
    let lines: Vec<&str> = source.lines().collect();
    let declared = format!("fn {name}(");
    lines.iter().enumerate().any(|(index, line)| {
        line.contains(&declared)
            && lines[index.saturating_sub(2)..index]
                .iter()
                .any(|before| before.contains("test"))
    })
}
