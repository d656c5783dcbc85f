//! The plan that a person is asked to approve.
//!
//! It stands in the question's input. An agent that asks before it has written its plan file asks with an empty
//! input: then there is only what lies on the disk, and that may be somebody else's. Knows nothing of the gate.

use std::fs;
use std::path::Path;

use serde_json::Value;

pub(super) fn plan(input: &Value) -> Option<String> {
    let plan = input["plan"].as_str()?;
    (!plan.trim().is_empty()).then(|| plan.to_owned())
}

/// The newest plan in the agent's configuration folder, for a question that came without one. Sessions that share
/// a home share this folder, so it says of itself that it may not be the one.
#[must_use]
pub fn plan_file(configuration_folder: &Path) -> Option<String> {
    let (_, path) = fs::read_dir(configuration_folder.join("plans"))
        .ok()?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .filter_map(|path| Some((path.metadata().ok()?.modified().ok()?, path)))
        .max()?;
    let name = path.file_name()?.to_string_lossy().into_owned();
    let text = fs::read_to_string(&path).ok()?;
    Some(format!(
        "*The agent asked without a plan. This is the newest plan file here, `{name}`; \
         it may be of another session.*\n\n{text}"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_plan_is_in_the_question() {
        assert_eq!(
            plan(&json!({"plan": "# Do it", "planFilePath": "/p.md"})).as_deref(),
            Some("# Do it")
        );
        assert_eq!(plan(&json!({})), None);
        assert_eq!(plan(&json!({"plan": " "})), None);
    }

    #[test]
    fn a_question_without_a_plan_has_the_newest_file_and_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(plan_file(folder.path()), None);
        let plans = folder.path().join("plans");
        fs::create_dir(&plans).unwrap();
        for (name, seconds) in [("new.md", 20), ("old.md", 10), ("no-plan.txt", 30)] {
            fs::write(plans.join(name), name).unwrap();
            let file = fs::File::options()
                .append(true)
                .open(plans.join(name))
                .unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
                .unwrap();
        }
        let plan = plan_file(folder.path()).unwrap();
        assert!(
            plan.ends_with("\n\nnew.md") && plan.contains("may be of another session"),
            "{plan}"
        );
    }
}
