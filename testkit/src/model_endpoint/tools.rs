//! What Claude Code calls its tools, and how it wants their input.
//!
//! The only place of the scripted model that knows one agent's names.

use std::path::Path;

use serde_json::{Value, json};

use super::script::Call;

/// Name and input of a call. Paths become absolute in `folder`, as a model gives them.
pub(super) fn tool(call: &Call, folder: Option<&str>) -> (String, Value) {
    let path = |path: &str| {
        Path::new(folder.unwrap_or_default())
            .join(path)
            .to_string_lossy()
            .into_owned()
    };
    let (name, input) = match call {
        Call::Read { path: file } => ("Read", json!({"file_path": path(file)})),
        Call::Write { path: file, text } => {
            ("Write", json!({"file_path": path(file), "content": text}))
        }
        Call::Edit {
            path: file,
            old,
            new,
        } => (
            "Edit",
            json!({"file_path": path(file), "old_string": old, "new_string": new}),
        ),
        Call::Run { command } => (
            "Bash",
            json!({"command": command, "description": "Run what the script says"}),
        ),
        Call::Ask {
            question,
            options,
            several,
        } => ("AskUserQuestion", questions(question, options, *several)),
        Call::PlanMode => ("EnterPlanMode", json!({})),
        // A newer agent reads the plan from its file and drops this copy.
        Call::Plan { text } => ("ExitPlanMode", json!({"plan": text})),
        Call::Agent { prompt, wait } => {
            let mut input = json!({
                "description": "Play a script",
                "prompt": prompt,
                "subagent_type": "general-purpose",
            });
            if *wait {
                input["run_in_background"] = json!(false);
            }
            ("Agent", input)
        }
        Call::Other { name, input } => (name.as_str(), input.clone()),
    };
    (name.to_owned(), input)
}

fn questions(question: &str, options: &[String], several: bool) -> Value {
    let options: Vec<Value> = options
        .iter()
        .map(|option| {
            let (label, description) = option.split_once(':').unwrap_or((option, option));
            json!({"label": label.trim(), "description": description.trim()})
        })
        .collect();
    json!({"questions": [{
        "question": question,
        "header": header(question),
        "options": options,
        "multiSelect": several,
    }]})
}

/// A chip of at most twelve characters: the last word that fits, because questions begin alike.
fn header(question: &str) -> String {
    let mut words = question.split(|character: char| !character.is_alphanumeric());
    words
        .rfind(|word| (1..=12).contains(&word.chars().count()))
        .unwrap_or("Question")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_absolute_when_the_folder_is_known() {
        let call = Call::Read {
            path: "a b.txt".into(),
        };
        assert_eq!(
            tool(&call, Some("/work dir")).1,
            json!({"file_path": "/work dir/a b.txt"})
        );
        assert_eq!(tool(&call, None).1, json!({"file_path": "a b.txt"}));
        assert_eq!(
            tool(
                &Call::Read {
                    path: "/etc/hosts".into()
                },
                Some("/x")
            )
            .1,
            json!({"file_path": "/etc/hosts"})
        );
    }

    #[test]
    fn an_option_may_say_what_it_means() {
        let call = Call::Ask {
            question: "Which database?".into(),
            options: vec!["SQLite: embedded".into(), "Postgres".into()],
            several: false,
        };
        let (name, input) = tool(&call, None);
        assert_eq!(name, "AskUserQuestion");
        assert_eq!(input["questions"][0]["header"], "database");
        assert_eq!(
            input["questions"][0]["options"][0],
            json!({"label": "SQLite", "description": "embedded"})
        );
        assert_eq!(
            input["questions"][0]["options"][1],
            json!({"label": "Postgres", "description": "Postgres"})
        );
    }
}
