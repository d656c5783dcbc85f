//! The plan that a person is asked to approve.
//!
//! Newer builds ask with an empty input: the plan is a file that the agent wrote just before, by a tool call like
//! any other. The adapter sees that call and keeps the text; for a plan that was written in any other way there is
//! the newest file on the disk. Knows nothing of the gate that shows it.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A plan longer than this is read from the disk when it is needed: the adapter's state is stored after every line.
const PLAN_BYTES_MAX: usize = 64 * 1024;

/// The plan file as the agent last left it, by its own account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Plan(Option<String>);

impl Plan {
    /// Takes note when a plan file was written or edited.
    pub fn tool_finished(&mut self, tool: &str, result: &Value) {
        let wrote = matches!(tool, "Write" | "Edit" | "MultiEdit");
        if !wrote || !result["filePath"].as_str().is_some_and(is_plan_file) {
            return;
        }
        let text = result["content"]
            .as_str()
            .map(str::to_owned)
            .or_else(|| edited(result));
        self.0 = text.filter(|text| text.len() <= PLAN_BYTES_MAX);
    }

    /// What is asked for approval: in the question itself with older builds.
    pub fn of(&self, input: &Value) -> Option<String> {
        let told = input["plan"]
            .as_str()
            .filter(|plan| !plan.trim().is_empty())
            .map(str::to_owned);
        told.or_else(|| self.0.clone())
    }
}

/// The newest plan in the agent's configuration folder. Sessions that share a folder share its plans, so this is
/// the second choice.
#[must_use]
pub fn plan_file(configuration_folder: &Path) -> Option<String> {
    let newest = fs::read_dir(configuration_folder.join("plans"))
        .ok()?
        .filter_map(Result::ok)
        .filter(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "md")
        })
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .max()?;
    fs::read_to_string(newest.1).ok()
}

fn is_plan_file(path: &str) -> bool {
    let path = Path::new(path);
    let folder = path.parent().and_then(Path::file_name);
    folder.is_some_and(|folder| folder == "plans")
        && path.extension().is_some_and(|extension| extension == "md")
}

/// An edit's result holds the whole file as it was, and what was put in the place of what.
fn edited(result: &Value) -> Option<String> {
    let before = result["originalFile"].as_str()?;
    let (old, new) = (result["oldString"].as_str()?, result["newString"].as_str()?);
    if old.is_empty() || !before.contains(old) {
        return None;
    }
    let everywhere = result["replaceAll"].as_bool().unwrap_or_default();
    Some(if everywhere {
        before.replace(old, new)
    } else {
        before.replacen(old, new, 1)
    })
}
