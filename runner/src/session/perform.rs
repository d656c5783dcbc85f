//! Performing effects, after they are recorded. Each may be asked for again after a restart and then changes nothing.

use std::path::PathBuf;
use std::time::Duration;

use nats::event::{Attachment, GateKind, ObjectReference};

use super::machine::{AgentEnd, AgentState, Effect, Input, Opened, Outgoing};
use super::shim_link::ShimLink;
use super::task::Task;
use crate::agent::Ask;
use crate::host::Host;
use crate::shim::{self, ShimClient, ShimSpec};
use crate::worktree::{Snapshot, Worktree};

/// Between asking an agent to end and ending it.
const END_GRACE: Duration = Duration::from_secs(2);
/// Attachments are on the server before the message is; a server that is away for longer is worth a warning.
const FETCH_BOUND: Duration = Duration::from_secs(60);

/// What came of an effect that took a while.
pub enum Done {
    Opened(Result<Opened, String>),
    Agent {
        generation: u32,
        attached: Result<ShimClient, NoAgent>,
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
    /// A panic, which is a bug of ours.
    Lost(String),
}

pub enum NoAgent {
    /// It could not be started.
    NotStarted(String),
    /// It ran, and neither it nor its shim is there any more.
    Gone,
}

pub struct Looked {
    changes: Vec<nats::event::FileChanged>,
    snapshot: Snapshot,
}

/// Looking at the worktree: one look at a time, and another when something happened meanwhile.
#[derive(Default)]
pub struct Files {
    snapshot: Option<Snapshot>,
    looking: bool,
    look_again: bool,
}

impl Task {
    pub(super) async fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::OpenWorktree => self.open_worktree(),
            Effect::StartAgent { generation } => self.start_agent(generation),
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
            } => self.agent_attached(generation, attached).await,
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

    fn open_worktree(&mut self) {
        let host = self.parts.host.clone();
        let start = self.saved.machine.start().clone();
        let session = self.identity.session;
        self.background
            .spawn_blocking(move || Done::Opened(open(&host, session, &start)));
    }

    /// Attaches to the shim that holds this agent; starts one when the machine has only just asked for it.
    fn start_agent(&mut self, generation: u32) {
        let socket = self.paths.socket(generation);
        let may_start = self.saved.machine.agent() == AgentState::Starting;
        let position = self.saved.position;
        let spec = if may_start {
            self.spec(generation)
        } else {
            Err(String::new())
        };
        let (folder, flotilla) = (
            self.paths.shim(generation),
            self.parts.host.flotilla.clone(),
        );
        self.background.spawn(async move {
            let attached = async {
                if shim::is_alive(&socket).await {
                    return ShimClient::connect(&socket, position).await.map_err(|error| {
                        tracing::error!(error = %crate::chain(&error), "could not attach to the shim");
                        NoAgent::Gone
                    });
                }
                if !may_start {
                    return Err(NoAgent::Gone);
                }
                let spec = spec.map_err(NoAgent::NotStarted)?;
                let failed = |error: &dyn std::error::Error| NoAgent::NotStarted(crate::chain(error));
                tokio::fs::create_dir_all(&folder).await.map_err(|error| failed(&error))?;
                shim::launch(&flotilla, &spec, &folder).await.map_err(|error| failed(&error))?;
                ShimClient::connect(&socket, 0).await.map_err(|error| failed(&error))
            };
            Done::Agent { generation, attached: attached.await }
        });
    }

    async fn agent_attached(&mut self, generation: u32, attached: Result<ShimClient, NoAgent>) {
        if generation != self.saved.machine.generation() {
            return;
        }
        match attached {
            Ok(client) => {
                tracing::info!(
                    agent.pid = client.hello.agent_pid,
                    generation,
                    "attached to the agent"
                );
                self.shim = Some(ShimLink::new(client, &self.parts.tasks));
                if self.saved.machine.has_ended() {
                    self.end_agent(generation);
                    return;
                }
                // Whatever may not have been written is sent again; the shim writes each once.
                for outgoing in self.saved.machine.outgoing().to_vec() {
                    self.send(outgoing);
                }
                self.step(vec![Input::AgentStarted { generation }], None)
                    .await;
            }
            Err(NoAgent::NotStarted(reason)) => {
                self.step(vec![Input::AgentNotStarted { generation, reason }], None)
                    .await;
            }
            Err(NoAgent::Gone) => {
                let end = AgentEnd {
                    generation,
                    code: None,
                    signal: None,
                    cause: Some(
                        "the agent is gone: its process and the one that held it have ended"
                            .to_owned(),
                    ),
                    stderr_tail: String::new(),
                    half_line_bytes: self.splitter.rest().len(),
                };
                self.step(vec![Input::AgentExited(end)], None).await;
            }
        }
    }

    /// The line broke: attach again where reading stopped, or learn that the agent is gone.
    pub(super) fn find_shim_again(&mut self) {
        self.shim = None;
        if self.saved.machine.agent() != AgentState::Gone {
            // What was read of an unfinished line is read again.
            self.splitter = crate::shim::LineSplitter::with_line_bytes_max(
                self.saved.position,
                super::task::LINE_BYTES_MAX,
            );
            self.start_agent(self.saved.machine.generation());
        }
    }

    fn end_agent(&mut self, generation: u32) {
        if let Some(shim) = &self.shim {
            shim.end(END_GRACE);
            return;
        }
        let socket = self.paths.socket(generation);
        self.parts.tasks.spawn(async move {
            if let Ok(client) = ShimClient::connect(&socket, 0).await
                && let Err(error) = client.handle.end(END_GRACE).await
            {
                tracing::warn!(error = %crate::chain(&error), "could not end an agent");
            }
        });
    }

    fn send(&mut self, outgoing: Outgoing) {
        // Without a line it waits in the machine, and is sent when there is one.
        if self.shim.is_none() {
            return;
        }
        match &outgoing {
            Outgoing::Message { attachments, .. } if !attachments.is_empty() => {
                self.fetch(outgoing)
            }
            _ => self.write(&outgoing, &[]),
        }
    }

    fn write(&mut self, outgoing: &Outgoing, files: &[(Attachment, Vec<u8>)]) {
        let adapter = &mut self.saved.adapter;
        let inputs = match outgoing {
            Outgoing::Handshake { generation } => adapter.handshake(*generation),
            Outgoing::Message { command, text, .. } => vec![adapter.message(*command, text, files)],
            Outgoing::Answer {
                gate,
                request,
                input,
                decision,
            } => {
                vec![adapter.answer(*gate, request, input, decision)]
            }
            Outgoing::Interrupt { command } => vec![adapter.interrupt(*command)],
            Outgoing::Reply { id, bytes } => vec![crate::agent::Input {
                id: id.clone(),
                bytes: bytes.clone(),
            }],
        };
        if let Some(shim) = &self.shim {
            for input in inputs {
                shim.input(input.id, input.bytes);
            }
        }
    }

    fn fetch(&mut self, outgoing: Outgoing) {
        let Outgoing::Message { attachments, .. } = &outgoing else {
            return;
        };
        let (client, attachments) = (self.parts.client.clone(), attachments.clone());
        let bucket = nats::stream::object_bucket(&self.identity.host);
        self.background.spawn(async move {
            let (mut files, mut missing) = (Vec::new(), Vec::new());
            for attachment in attachments {
                let reference = ObjectReference {
                    bucket: bucket.clone(),
                    name: attachment.object_name(),
                    bytes: attachment.bytes,
                    sha256: attachment.sha256.clone(),
                };
                match tokio::time::timeout(FETCH_BOUND, client.object(&reference)).await {
                    Ok(Ok(bytes)) => files.push((attachment, bytes.to_vec())),
                    Ok(Err(_)) | Err(_) => missing.push(format!("`{}`", attachment.name)),
                }
            }
            Done::Fetched {
                outgoing,
                files,
                missing,
            }
        });
    }

    fn look_at_files(&mut self, tool_use: Option<String>) {
        if self.files.looking {
            self.files.look_again = true;
            return;
        }
        self.files.looking = true;
        let path = self
            .parts
            .host
            .worktree(&self.saved.machine.start().project, self.identity.session);
        let before = self.files.snapshot.take();
        self.background.spawn_blocking(move || Done::Files {
            looked: look(path, before, tool_use.clone()),
            tool_use,
        });
    }

    async fn files_looked(&mut self, looked: Result<Looked, String>, tool_use: Option<String>) {
        self.files.looking = false;
        match looked {
            Ok(Looked { changes, snapshot }) => {
                self.files.snapshot = Some(snapshot);
                if !changes.is_empty() {
                    self.step(vec![Input::FilesChanged { changes }], None).await;
                }
            }
            Err(reason) => tracing::warn!(
                reason,
                tool_use,
                "could not see what changed in the worktree"
            ),
        }
        if std::mem::take(&mut self.files.look_again) {
            self.look_at_files(None);
        }
    }

    /// A plan is a file of the agent's: without it the card would show nothing.
    pub(super) fn with_plan(&self, mut ask: Ask) -> Ask {
        if ask.kind == GateKind::Plan && ask.plan.is_none() {
            ask.plan = self.parts.host.plan(&self.saved.machine.start().agent);
        }
        ask
    }

    fn spec(&self, generation: u32) -> Result<ShimSpec, String> {
        let start = self.saved.machine.start();
        let worktree = self
            .parts
            .host
            .worktree(&start.project, self.identity.session);
        let launch = self
            .parts
            .host
            .launch(&start.agent, self.identity.session, &worktree)?;
        let mut spec = ShimSpec::new(launch.program, launch.cwd, self.paths.socket(generation));
        spec.args = launch.args;
        spec.env = launch.env;
        Ok(spec)
    }
}

fn open(
    _host: &Host,
    _session: nats::ids::SessionId,
    _start: &nats::command::SessionStart,
) -> Result<Opened, String> {
    Err(String::new())
}
fn look(
    _path: PathBuf,
    _before: Option<Snapshot>,
    _tool_use: Option<String>,
) -> Result<Looked, String> {
    Err(String::new())
}
