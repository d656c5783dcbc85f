//! The tools: they do what they say, on real files, and report as the real agent's do.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::fs;
use tokio::io::AsyncWrite;

use super::command::{self, Printed};
use super::life::{Life, Stop};
use super::line::{self, Outcome};
use super::permission::{Call, Permission};
use super::turn::Turn;

/// What a tool came to.
struct Done {
    content: String,
    structured: Value,
}

/// A tool that failed: the words for the agent.
struct Failed(String);

/// As much as the real agent reads of a file at once.
const READ_BYTES_MAX: u64 = 256 << 10;

impl<W: AsyncWrite + Unpin> Life<W> {
    /// Asks, and does it or not. A refusal is a result like any other: the script goes on.
    pub(super) async fn use_tool(&mut self, turn: &mut Turn, call: &Call) -> Result<(), Stop> {
        let result = match self.ask_permission(turn, call).await? {
            Permission::Refused { message } => Err(Failed(message)),
            Permission::Given { input } if call.tool == "Bash" => {
                self.run_command(call, &input).await?
            }
            Permission::Given { input } => perform(&call.tool, &call.input, &input).await,
        };
        let line = match result {
            Ok(done) => line::tool_result(&call.tool_use, &done.content, false, done.structured),
            Err(Failed(why)) => {
                line::tool_result(&call.tool_use, &why, true, format!("Error: {why}").into())
            }
        };
        Ok(self.output.line(line).await?)
    }

    async fn run_command(
        &mut self,
        call: &Call,
        input: &Value,
    ) -> Result<Result<Done, Failed>, Stop> {
        let Some(text) = input["command"].as_str() else {
            return Ok(Err(Failed("the command is not a text".to_owned())));
        };
        let mut printed = Printed::default();
        let folder = self.folder.clone();
        let ended = self
            .meanwhile(command::run(text, &folder, &mut printed))
            .await;
        if ended.is_err() {
            printed.leftovers().await;
        }
        let structured = json!({ "stdout": printed.stdout.text(), "stderr": printed.stderr.text(),
            "interrupted": ended.is_err(), "isImage": false, "noOutputExpected": false });
        let status = match ended {
            Ok(Ok(status)) => status,
            Ok(Err(error)) => return Ok(Err(Failed(format!("could not run it: {error}")))),
            Err(Stop::Interrupted { request }) => {
                self.output.line(line::accepted(&request, None)).await?;
                let content = format!(
                    "{}<error>Command was aborted before completion</error>",
                    printed.whole()
                );
                self.output
                    .line(line::tool_result(
                        &call.tool_use,
                        &content,
                        true,
                        structured,
                    ))
                    .await?;
                return Err(Stop::Aborted(Outcome::AbortedTools));
            }
            Err(stop) => return Err(stop),
        };
        Ok(if status.success() {
            Ok(Done {
                content: printed.whole().trim_end().to_owned(),
                structured,
            })
        } else {
            let how = status
                .code()
                .map_or_else(|| status.to_string(), |code| format!("Exit code {code}"));
            Err(Failed(format!("{how}\n{}", printed.whole().trim_end())))
        })
    }
}

/// Everything but commands. `asked` is what was first wanted, `input` what was allowed.
async fn perform(tool: &str, asked: &Value, input: &Value) -> Result<Done, Failed> {
    match tool {
        "Read" => read(&path(input)?).await,
        "Write" => {
            let content = input["content"]
                .as_str()
                .ok_or_else(|| Failed("the content is not a text".to_owned()))?;
            write(&path(input)?, content).await
        }
        "AskUserQuestion" => Ok(answered(input)),
        "ExitPlanMode" => Ok(planned(asked, input)),
        other => Err(Failed(format!("No such tool available: {other}"))),
    }
}

fn path(input: &Value) -> Result<PathBuf, Failed> {
    let path = input["file_path"].as_str().map(PathBuf::from);
    path.filter(|path| path.is_absolute())
        .ok_or_else(|| Failed("file_path must be an absolute path".to_owned()))
}

async fn read(path: &Path) -> Result<Done, Failed> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Failed("File does not exist.".to_owned()),
        _ => Failed(format!("could not read it: {error}")),
    };
    let bytes = fs::metadata(path).await.map_err(failed)?.len();
    if bytes > READ_BYTES_MAX {
        return Err(Failed(format!(
            "File content ({bytes} bytes) exceeds maximum allowed size ({READ_BYTES_MAX} bytes)."
        )));
    }
    let content = fs::read(path).await.map_err(failed)?;
    let content = String::from_utf8_lossy(&content);
    let lines = content.lines().count();
    let numbered: Vec<String> = content
        .lines()
        .enumerate()
        .map(|(at, line)| format!("{:>6}\t{line}", at + 1))
        .collect();
    Ok(Done {
        content: numbered.join("\n"),
        structured: json!({ "type": "text", "file": { "filePath": path, "content": content, "numLines": lines,
                            "startLine": 1, "totalLines": lines } }),
    })
}

async fn write(path: &Path, content: &str) -> Result<Done, Failed> {
    let failed = |error: io::Error| Failed(format!("could not write it: {error}"));
    let original = match fs::read(path).await {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).await.map_err(failed)?;
    }
    fs::write(path, content).await.map_err(failed)?;
    let (kind, words) = match original {
        None => (
            "create",
            format!("File created successfully at: {}", path.display()),
        ),
        Some(_) => (
            "update",
            format!("The file {} has been updated successfully.", path.display()),
        ),
    };
    let patch = original.as_deref().map_or_else(
        || json!([]),
        |original| json!([replaced(original, content)]),
    );
    Ok(Done {
        content: words,
        structured: json!({ "type": kind, "filePath": path, "content": content, "structuredPatch": patch,
                            "originalFile": original, "userModified": false }),
    })
}

/// One hunk that takes all of the old and gives all of the new: true, if not the shortest.
fn replaced(old: &str, new: &str) -> Value {
    let gone = old.lines().map(|line| format!("-{line}"));
    let come = new.lines().map(|line| format!("+{line}"));
    json!({ "oldStart": 1, "oldLines": old.lines().count(), "newStart": 1, "newLines": new.lines().count(),
            "lines": gone.chain(come).collect::<Vec<_>>() })
}

fn answered(input: &Value) -> Done {
    let answers = input["answers"].as_object().cloned().unwrap_or_default();
    let pairs: Vec<String> = answers
        .iter()
        .map(|(question, answer)| match answer {
            Value::String(text) => format!("\"{question}\"=\"{text}\""),
            Value::Array(labels) => {
                let labels: Vec<&str> = labels.iter().filter_map(Value::as_str).collect();
                format!("\"{question}\"=\"{}\"", labels.join(","))
            }
            other => format!("\"{question}\"={other}"),
        })
        .collect();
    let content = match (input["response"].as_str(), pairs.is_empty()) {
        (Some(response), _) => format!("The user responded: {response}"),
        (None, true) => "The user did not answer the questions.".to_owned(),
        (None, false) => format!(
            "Your questions have been answered: {}. You can now continue with these answers in mind.",
            pairs.join(", ")
        ),
    };
    Done {
        content,
        structured: json!({ "questions": input["questions"], "answers": answers }),
    }
}

fn planned(asked: &Value, input: &Value) -> Done {
    let edited = asked["plan"] != input["plan"];
    let title = if edited {
        "Approved Plan (edited by user)"
    } else {
        "Approved Plan"
    };
    Done {
        content: format!(
            "User has approved your plan. You can now start coding.\n\n## {title}:\n{}",
            input["plan"].as_str().unwrap_or_default()
        ),
        structured: json!({ "plan": input["plan"], "filePath": null, "planWasEdited": edited }),
    }
}
