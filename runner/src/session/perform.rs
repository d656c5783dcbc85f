//! Performing effects, after they are recorded. Each may be asked for again after a restart and then changes nothing.

use nats::event::Attachment;

use super::files::Looked;
use super::machine::{Effect, Input, Opened, Outgoing};
use super::task::Task;
use crate::shim::ShimClient;

/// What came of an effect that took a while.
pub enum Done {
    Opened(Result<Opened, String>),
    Agent {
        generation: u32,
        attached: Result<ShimClient, NoAgent>,
        /// Why it will not ask for an open call again, when it should.
        cannot_ask: Option<String>,
    },
    /// It had long enough to ask for an open call again.
    AskDue {
        generation: u32,
    },
    Files {
        looked: Result<Looked, String>,
        tool_use: Option<String>,
    },
    Fetched {
        outgoing: Outgoing,
        files: Vec<(Attachment, Vec<u8>)>,
        missing: Vec<String>,
    },
    /// The shim had no room for an input a moment ago.
    TellAgain {
        generation: u32,
    },
    /// A panic, which is a bug of ours.
    Lost(String),
}

pub enum NoAgent {
    /// It could not be started.
    NotStarted(String),
    /// It ran, and neither it nor its shim is there any more.
    Gone,
}

impl Task {
    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::OpenWorktree => self.open_worktree(),
            Effect::StartAgent { generation } => self.start_agent_in_slot(generation),
            Effect::ExpectAsk { generation } => self.expect_ask(generation),
            Effect::EndAgent { generation } => self.end_agent(generation),
            Effect::Send(outgoing) => self.send(outgoing),
            Effect::Live { .. } => self.live_is_waiting(),
            Effect::BlockDone { .. } => {}
            Effect::LookAtFiles { tool_use } => self.look_at_files(tool_use),
        }
    }

    pub(super) async fn done(&mut self, done: Done) {
        match done {
            Done::Opened(Ok(opened)) => {
                self.step(vec![Input::Opened(opened)], None).await;
            }
            Done::Opened(Err(reason)) => {
                self.step(vec![Input::CouldNotOpen { reason }], None).await;
            }
            Done::Agent {
                generation,
                attached,
                cannot_ask,
            } => {
                self.agent_attached(generation, attached).await;
                if let Some(reason) = cannot_ask {
                    self.step(vec![Input::NotAskedAgain { generation, reason }], None)
                        .await;
                }
            }
            Done::AskDue { generation } => {
                let reason = "it went on without asking".to_owned();
                self.step(vec![Input::NotAskedAgain { generation, reason }], None)
                    .await;
            }
            Done::TellAgain { generation } => self.tell_again(generation),
            Done::Files { looked, tool_use } => self.files_looked(looked, tool_use).await,
            Done::Fetched {
                outgoing,
                files,
                missing,
            } => {
                self.write(&outgoing, &files);
                if !missing.is_empty() {
                    let warning = Input::Warning {
                        code: "attachment_missing".to_owned(),
                        message: format!(
                            "the agent did not get {}: the server no longer has it",
                            missing.join(", ")
                        ),
                        hint: Some("attach it again".to_owned()),
                    };
                    self.step(vec![warning], None).await;
                }
            }
            Done::Lost(panic) => unreachable!("a background task of a session panicked: {panic}"),
        }
    }
}
