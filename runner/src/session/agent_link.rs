//! The agent, seen from its session: attached to through its shim, told things once, ended with everything it began.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nats::event::{Attachment, GateKind, ObjectReference};

use nats::ids::SessionId;
use serde_json::Value;
use tokio::time::Instant;

use super::machine::{AgentEnd, AgentState, Input, Outgoing};
use super::perform::{Done, NoAgent};
use super::shim_link::ShimLink;
use super::task::{LINE_BYTES_MAX, Task};
use crate::agent::{Ask, Unanswered};
use crate::host::Host;
use crate::shim::{self, LineSplitter, ShimClient, ShimSpec};

/// Between asking an agent to end and ending it.
const END_GRACE: Duration = Duration::from_secs(2);
/// An agent that lived for so long does not die of what it was started for.
const LIVES_AFTER: Duration = Duration::from_secs(10 * 60);
/// More than it takes to end an agent and its shim.
const PREVIOUS_BOUND: Duration = Duration::from_secs(15);
/// An agent that goes on from its transcript asks within its first second; a busy machine may take longer.
const ASK_AGAIN_BOUND: Duration = Duration::from_secs(30);
/// An agent that does not read may take minutes; it is asked often enough for nobody to notice.
const TELL_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How often, and for how long, the agent's transcript is looked at after it has asked: 2 s, ten times what it takes.
const FORCE_OUT_EVERY: Duration = Duration::from_millis(20);
const FORCE_OUT_TRIES: usize = 100;
/// Attachments are on the server before the message is; a server that is away for longer is worth a warning.
const FETCH_BOUND: Duration = Duration::from_secs(60);

impl Task {
    /// Attaches to the shim that holds this agent; starts one when the machine has only just asked for it.
    pub(super) fn start_agent(&mut self, generation: u32) {
        let machine = &self.saved.machine;
        let start = Start {
            host: self.parts.host.clone(),
            agent: machine.start().agent.clone(),
            session: self.identity.session,
            worktree: self.worktree(),
            folder: self.paths.shim(generation),
            socket: self.paths.socket(generation),
            previous: self.paths.socket(generation.saturating_sub(1)),
            unanswered: machine
                .unanswered()
                .map(|(tool_use, tool, input)| OpenCall {
                    tool_use: tool_use.to_owned(),
                    tool: tool.to_owned(),
                    input: input.clone(),
                }),
        };
        let may_start = machine.agent() == AgentState::Starting;
        let position = self.saved.position;
        self.background.spawn(async move {
            let (attached, cannot_ask) = start.attach(position, may_start).await;
            Done::Agent {
                generation,
                attached,
                cannot_ask,
            }
        });
    }

    /// Tells the machine when the agent had long enough to ask again by itself.
    pub(super) fn expect_ask(&mut self, generation: u32) {
        self.background.spawn(async move {
            tokio::time::sleep(ASK_AGAIN_BOUND).await;
            Done::AskDue { generation }
        });
    }

    /// Whether the one call that waits could be asked for again, so that its agent may be stopped.
    pub(super) fn may_sleep_at(&self) -> bool {
        let machine = &self.saved.machine;
        let Some((tool_use, tool, input)) = machine.may_sleep_at() else {
            return false;
        };
        let call = Unanswered {
            tool_use,
            tool,
            input,
        };
        let (agent, session) = (&machine.start().agent, self.identity.session);
        let worktree = self.worktree();
        let able = tokio::task::block_in_place(|| {
            self.parts
                .host
                .can_ask_again(agent, session, &worktree, &call)
        });
        if let Err(reason) = &able {
            tracing::info!(
                reason,
                "the agent stays while it waits: it could not ask again"
            );
        }
        able.is_ok()
    }

    fn worktree(&self) -> PathBuf {
        let project = &self.saved.machine.start().project;
        self.parts.host.worktree(project, self.identity.session)
    }

    pub(super) async fn agent_attached(
        &mut self,
        generation: u32,
        attached: Result<ShimClient, NoAgent>,
    ) {
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
                self.lives_at = Some(Instant::now() + LIVES_AFTER);
                if self.saved.machine.has_ended() {
                    self.end_agent(generation);
                    return;
                }
                self.send_outgoing();
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
            self.splitter = LineSplitter::with_line_bytes_max(self.saved.position, LINE_BYTES_MAX);
            self.start_agent(self.saved.machine.generation());
        }
    }

    pub(super) fn end_agent(&mut self, generation: u32) {
        if let Some(shim) = &mut self.shim {
            shim.end(END_GRACE);
            return;
        }
        let socket = self.paths.socket(generation);
        self.parts.tasks.spawn(async move {
            if let Err(error) = shim::end(&socket, END_GRACE).await {
                tracing::warn!(error = %crate::chain(&error), "could not end an agent");
            }
        });
    }

    pub(super) fn send(&mut self, outgoing: Outgoing) {
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

    /// Whatever may not have been written is sent again; the shim writes each once.
    fn send_outgoing(&mut self) {
        for outgoing in self.saved.machine.outgoing().to_vec() {
            self.send(outgoing);
        }
    }

    /// One try at a time, however many inputs there was no room for.
    pub(super) fn tell_again_later(&mut self) {
        if std::mem::replace(&mut self.telling_again, true) {
            return;
        }
        let generation = self.saved.machine.generation();
        self.background.spawn(async move {
            tokio::time::sleep(TELL_AGAIN_AFTER).await;
            Done::TellAgain { generation }
        });
    }

    pub(super) fn tell_again(&mut self, generation: u32) {
        self.telling_again = false;
        if generation == self.saved.machine.generation() {
            self.send_outgoing();
        }
    }

    pub(super) fn write(&mut self, outgoing: &Outgoing, files: &[(Attachment, Vec<u8>)]) {
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
        if let Some(shim) = &mut self.shim {
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

    /// A power cut may come while a person thinks: what the agent needs to ask again must not be forgotten. It writes a
    /// call down up to 0.2 s after it has asked, so the gate does not wait for it.
    pub(super) fn force_out_transcript(&self, tool_use: String) {
        let host = self.parts.host.clone();
        let (agent, session) = (
            self.saved.machine.start().agent.clone(),
            self.identity.session,
        );
        let (worktree, token) = (self.worktree(), self.parts.token.clone());
        self.parts.tasks.spawn(async move {
            for _ in 0..FORCE_OUT_TRIES {
                let forced = tokio::task::block_in_place(|| {
                    host.force_out(&agent, session, &worktree, &tool_use)
                });
                match forced {
                    Ok(true) => return,
                    Ok(false) => {}
                    Err(reason) => {
                        tracing::debug!(reason, "could not force a transcript out to the disk");
                        return;
                    }
                }
                tokio::select! {
                    () = tokio::time::sleep(FORCE_OUT_EVERY) => {}
                    () = token.cancelled() => return,
                }
            }
        });
    }

    /// A plan is a file of the agent's: without it the card would show nothing.
    pub(super) fn with_plan(&self, mut ask: Ask) -> Ask {
        if ask.kind == GateKind::Plan && ask.plan.is_none() {
            ask.plan = self.parts.host.plan(&self.saved.machine.start().agent);
        }
        ask
    }
}

/// What it takes to have an agent at the other end of a shim.
struct Start {
    host: Arc<Host>,
    agent: String,
    session: SessionId,
    worktree: PathBuf,
    folder: PathBuf,
    socket: PathBuf,
    /// Of the agent before.
    previous: PathBuf,
    unanswered: Option<OpenCall>,
}

/// A call that the next agent must ask for again.
struct OpenCall {
    tool_use: String,
    tool: String,
    input: Value,
}

impl Start {
    /// The shim that is there, or a new one. Also says why an open call will not be asked for again.
    async fn attach(
        self,
        position: u64,
        may_start: bool,
    ) -> (Result<ShimClient, NoAgent>, Option<String>) {
        if shim::is_alive(&self.socket).await {
            let attached = ShimClient::connect(&self.socket, position)
                .await
                .map_err(|error| {
                    tracing::error!(error = %crate::chain(&error), "could not attach to the shim");
                    NoAgent::Gone
                });
            return (attached, None);
        }
        if !may_start {
            return (Err(NoAgent::Gone), None);
        }
        // One that was put to sleep may still be on its way out, and would write to the same transcript.
        let ended = shim::end(&self.previous, END_GRACE);
        if let Ok(Err(error)) = tokio::time::timeout(PREVIOUS_BOUND, ended).await {
            tracing::debug!(error = %crate::chain(&error), "the agent before this one had ended already");
        }
        let cannot_ask = self.prepare_to_ask_again();
        (self.launch().await.map_err(NoAgent::NotStarted), cannot_ask)
    }

    async fn launch(&self) -> Result<ShimClient, String> {
        fn said(error: impl std::error::Error) -> String {
            crate::chain(&error)
        }
        let launch = self
            .host
            .launch(&self.agent, self.session, &self.worktree)?;
        let mut spec = ShimSpec::new(launch.program, launch.cwd, &self.socket);
        spec.args = launch.args;
        spec.env = launch.env;
        tokio::fs::create_dir_all(&self.folder)
            .await
            .map_err(said)?;
        shim::launch(&self.host.flotilla, &spec, &self.folder)
            .await
            .map_err(said)?;
        ShimClient::connect(&self.socket, 0).await.map_err(said)
    }

    fn prepare_to_ask_again(&self) -> Option<String> {
        let call = self.unanswered.as_ref()?;
        let call = Unanswered {
            tool_use: &call.tool_use,
            tool: &call.tool,
            input: &call.input,
        };
        tokio::task::block_in_place(|| {
            self.host
                .ask_again(&self.agent, self.session, &self.worktree, &call)
        })
        .err()
    }
}
