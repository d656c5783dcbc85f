//! A tool call in words: what will happen, in one sentence, and why it may be risky.
//!
//! It helps a person to look in the right place and proves nothing: a command can do what its words do not show,
//! and the input beside them is what counts. Nothing is left out without a mark. Knows no gate and no policy.

mod command;
mod path;
mod words;

use serde_json::Value;

use path::Place;

/// What the card says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Described {
    pub summary: String,
    pub risks: Vec<String>,
}

/// One line of a summary; what is longer is cut with a mark that says by how much.
const CHARACTERS_MAX: usize = 300;

/// `worktree` is the folder that the agent works in; `concern` a worry of the agent's own.
pub(super) fn describe(
    tool: &str,
    input: &Value,
    worktree: Option<&str>,
    concern: Option<&str>,
) -> Described {
    let call = Call {
        input,
        place: Place::new(worktree),
    };
    let (summary, mut risks) = call.told(tool);
    risks.extend(concern.map(|concern| format!("the agent itself is wary: {}", one_line(concern))));
    let mut seen = std::collections::BTreeSet::new();
    risks.retain(|risk| seen.insert(risk.clone()));
    Described { summary, risks }
}

struct Call<'a> {
    input: &'a Value,
    place: Place<'a>,
}

type Told = (String, Vec<String>);

impl Call<'_> {
    fn told(&self, tool: &str) -> Told {
        match tool {
            "Bash" => self.command(),
            "Read" => self.read(),
            "Write" => self.write(),
            "Edit" | "MultiEdit" => self.edit(),
            "NotebookEdit" => (
                format!("Edits a cell of {}.", self.path("notebook_path")),
                self.change_risks("notebook_path"),
            ),
            "Glob" => (
                format!("Lists files that match {}.", self.quoted("pattern")),
                self.look_risks("path"),
            ),
            "Grep" => (
                format!("Searches files for {}.", self.quoted("pattern")),
                self.look_risks("path"),
            ),
            "WebFetch" => (
                format!("Fetches {}.", self.quoted("url")),
                vec![NETWORK.to_owned()],
            ),
            "WebSearch" => (
                format!("Searches the web for {}.", self.quoted("query")),
                vec![NETWORK.to_owned()],
            ),
            "Agent" | "Task" => {
                let kind = self
                    .text("subagent_type")
                    .map(|kind| format!(" ({})", one_line(kind)))
                    .unwrap_or_default();
                (
                    format!(
                        "Starts a subagent{kind}: {}. Each of its calls is asked for.",
                        self.quoted("description")
                    ),
                    vec![],
                )
            }
            "AskUserQuestion" => (self.questions(), vec![]),
            "EnterPlanMode" => (
                "Wants to make a plan before it changes anything.".to_owned(),
                vec![],
            ),
            "ExitPlanMode" => ("Presents its plan and asks to begin.".to_owned(), vec![]),
            "ToolSearch" => (format!("Looks up tools: {}.", self.quoted("query")), vec![]),
            "Skill" => (format!("Uses the skill {}.", self.quoted("skill")), vec![]),
            "ScheduleWakeup" => (
                format!("Plans to go on by itself later: {}.", self.quoted("reason")),
                vec![],
            ),
            "TaskStop" | "KillShell" => ("Stops work in the background.".to_owned(), vec![]),
            _ => self.other(tool),
        }
    }

    fn command(&self) -> Told {
        let command = self.text("command").unwrap_or_default();
        let mut lines = command.trim().lines();
        let first = cut(lines.next().unwrap_or_default());
        let summary = match lines.filter(|line| !line.trim().is_empty()).count() {
            0 => format!("Runs `{first}`."),
            1 => format!("Runs `{first}` … and 1 more line."),
            more => format!("Runs `{first}` … and {more} more lines."),
        };
        let mut risks = command::risks(command, &self.place);
        if self.flag("run_in_background") {
            risks.push("goes on in the background after the call has returned".to_owned());
        }
        if self.flag("dangerouslyDisableSandbox") {
            risks.push("asks to run outside the agent's sandbox".to_owned());
        }
        (summary, risks)
    }

    fn read(&self) -> Told {
        let from = self.input["offset"]
            .as_u64()
            .map(|line| format!(" from line {line}"))
            .unwrap_or_default();
        (
            format!("Reads {}{from}.", self.path("file_path")),
            self.look_risks("file_path"),
        )
    }

    fn write(&self) -> Told {
        let lines = counted(self.text("content").unwrap_or_default());
        (
            format!("Writes {} ({lines}).", self.path("file_path")),
            self.change_risks("file_path"),
        )
    }

    fn edit(&self) -> Told {
        let edits = self.input["edits"].as_array().map(Vec::as_slice);
        let edits = edits.unwrap_or(std::slice::from_ref(self.input));
        let side = |name: &str| {
            edits
                .iter()
                .map(|edit| lines(edit[name].as_str().unwrap_or_default()))
                .sum::<usize>()
        };
        let everywhere = if self.flag("replace_all") {
            ", everywhere it stands"
        } else {
            ""
        };
        let summary = format!(
            "Edits {} (−{} +{} lines{everywhere}).",
            self.path("file_path"),
            side("old_string"),
            side("new_string")
        );
        (summary, self.change_risks("file_path"))
    }

    fn questions(&self) -> String {
        let questions = self.input["questions"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let asked: Vec<String> = questions
            .iter()
            .filter_map(|question| question["question"].as_str())
            .map(one_line)
            .collect();
        format!("Asks: {}", asked.join(" · "))
    }

    fn other(&self, tool: &str) -> Told {
        let given = match self.input.as_object() {
            Some(fields) if fields.is_empty() => String::new(),
            _ => format!(" with {}", cut(&self.input.to_string())),
        };
        match tool
            .strip_prefix("mcp__")
            .and_then(|name| name.split_once("__"))
        {
            Some((server, name)) => (
                format!("Calls `{name}` of the MCP server `{server}`{given}."),
                vec!["runs in a program outside the agent, which may do anything".to_owned()],
            ),
            None => (format!("Uses {}{given}.", one_line(tool)), vec![]),
        }
    }

    fn look_risks(&self, field: &str) -> Vec<String> {
        self.text(field)
            .map(|path| self.place.look_risks(path))
            .unwrap_or_default()
    }

    fn change_risks(&self, field: &str) -> Vec<String> {
        self.text(field)
            .map(|path| self.place.change_risks(path))
            .unwrap_or_default()
    }

    fn path(&self, field: &str) -> String {
        let path = self.text(field).map(|path| self.place.shown(path));
        path.map_or_else(
            || "a file it does not name".to_owned(),
            |path| format!("`{}`", cut(&path)),
        )
    }

    fn quoted(&self, field: &str) -> String {
        self.text(field).map_or_else(
            || "(nothing said)".to_owned(),
            |text| format!("`{}`", one_line(text)),
        )
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.input[field].as_str()
    }

    fn flag(&self, field: &str) -> bool {
        self.input[field].as_bool().unwrap_or_default()
    }
}

const NETWORK: &str = "uses the network";

fn counted(text: &str) -> String {
    match lines(text) {
        1 => "1 line".to_owned(),
        lines => format!("{lines} lines"),
    }
}

fn lines(text: &str) -> usize {
    text.lines().count()
}

/// The first line, with a mark when there are more.
fn one_line(text: &str) -> String {
    let mut lines = text.trim().lines();
    let first = cut(lines.next().unwrap_or_default());
    if lines.next().is_some() {
        format!("{first} …")
    } else {
        first
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!(
            "{}… ({} more characters)",
            &text[..end],
            text[end..].chars().count()
        ),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
