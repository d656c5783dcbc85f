//! What the agent has written down of its conversation, and the next process made to ask again from it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use runner::agent::{Ask, AskAgainError, Dialect, LaunchRequest, Unanswered, ask_again};

use super::{Agent, BOUND};

impl Agent {
    /// Waits until its transcript holds `text` in what the model said, and kills the process.
    pub(crate) async fn stop_after_writing(&mut self, text: &str) {
        self.until_written(text, |content| was_said(content, text))
            .await;
        self.stop().await;
    }

    /// Waits until its transcript is as wanted. It is written a moment after things are told.
    pub(crate) async fn until_written(&self, what: &str, wanted: impl Fn(&str) -> bool) {
        testkit::wait::until("the transcript", BOUND, async || {
            let path = self.transcript().ok_or("there is none")?;
            let content = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
            if wanted(&content) {
                Ok(())
            } else {
                Err(format!("no `{what}` in it"))
            }
        })
        .await;
    }

    /// Whether its transcript holds `text` in what the model said.
    pub(crate) fn has_written(&self, text: &str) -> bool {
        let content = self
            .transcript()
            .map(|path| std::fs::read_to_string(path).unwrap());
        content.is_some_and(|content| was_said(&content, text))
    }

    /// Where its conversation is written down, once it is.
    pub(crate) fn transcript(&self) -> Option<PathBuf> {
        let name = format!("{}.jsonl", self.session.uuid());
        let folders = std::fs::read_dir(self.home.path().join(".claude/projects")).ok()?;
        folders
            .map(|folder| folder.unwrap().path().join(&name))
            .find(|path| path.is_file())
    }

    /// Has the next process ask for this call again. To be called when the last one is gone.
    pub(crate) fn ask_again(&self, ask: &Ask) -> Result<(), AskAgainError> {
        let call = Unanswered {
            tool_use: &ask.tool_use,
            tool: &ask.tool,
            input: &ask.input,
        };
        let environment = BTreeMap::new();
        let request = LaunchRequest {
            session: self.session,
            configuration: &self.configuration,
            program: &self.program,
            worktree: &self.worktree(),
            home: self.home.path(),
            environment: &environment,
        };
        ask_again(Dialect::Claude, "claude", &request, &call)
    }
}

fn was_said(transcript: &str, text: &str) -> bool {
    let mut lines = transcript.lines();
    lines.any(|line| line.contains("\"assistant\"") && line.contains(text))
}
