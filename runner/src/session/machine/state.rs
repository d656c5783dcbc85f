//! What a session is, in full: everything that must survive a crash of the runner.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use nats::Timestamp;
use nats::command::SessionStart;
use nats::event::{Attachment, Decision, GateOpened, SessionState, State};
use nats::ids::{CommandId, GateId, TurnId, UserId};
use serde::{Deserialize, Serialize};

use super::effect::{Effect, Outgoing, Step};
use super::input::{Input, Opened};

/// One session's state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Machine {
    pub(super) start: SessionStart,
    pub(super) started_by: Option<UserId>,
    pub(super) isolated: bool,
    pub(super) opened: bool,
    pub(super) ended: bool,
    /// The newest seq given out.
    pub(super) seq: u64,
    pub(super) agent: AgentState,
    /// Counts agent processes of this session; output of an older one is dropped.
    pub(super) generation: u32,
    /// Why the agent is not running, when nobody asked for that.
    pub(super) asleep_reason: Option<String>,
    pub(super) turn: Option<Turn>,
    /// Messages that wait for the turn before them to end.
    pub(super) queue: VecDeque<Message>,
    /// Messages written to the agent that it has not taken up.
    pub(super) handed: Vec<CommandId>,
    pub(super) gates: BTreeMap<GateId, Gate>,
    /// Tool calls that have not finished, by the agent's id.
    pub(super) tools: BTreeMap<String, ToolCall>,
    /// Calls whose agent ended after it was told to run them. Asked again, they say so.
    #[serde(default)]
    pub(super) perhaps_run: BTreeSet<String>,
    /// What must be written to the agent and may not have been.
    pub(super) outgoing: Vec<Outgoing>,
    /// The agent's own count of what its process has cost so far, in US dollars.
    pub(super) cost_of_process_usd: f64,
    /// Commands or subagents of the agent's process go on, whatever its turn does. They end with the process.
    #[serde(default)]
    pub(super) works_in_background: bool,
    /// The state last told in an event.
    pub(super) told: Option<State>,
    /// The newest seq that EVENTS is known to hold.
    #[serde(default)]
    pub(super) acknowledged: u64,
    /// How often the agent was started for what waits, since it last took a message up.
    #[serde(default)]
    pub(super) restarts: u32,
    /// No turn begins while the disk has no room to record it.
    #[serde(default)]
    pub(super) disk_low: bool,
    /// The agent that asked is gone, and the next one is made to ask for the same call.
    #[serde(default)]
    pub(super) asking_again: Option<AskingAgain>,
    /// The turn is to end as soon as the agent has asked again: it slept when a person said so.
    #[serde(default)]
    pub(super) interrupting: Option<CommandId>,
    /// The account's limit that was reached and is not over.
    #[serde(default)]
    pub(super) limit: Option<Limit>,
    /// Whether to go on by itself after a limit, as a person chose for this session; else the host's choice.
    #[serde(default)]
    pub(super) resumes_after_limit: Option<bool>,
    /// How often it went on after a limit and got nothing done.
    #[serde(default)]
    pub(super) vain_resumes: u32,
    /// The reason last told with it.
    #[serde(default)]
    pub(super) told_reason: Option<String>,
    /// The agent is to start, and every slot of the host is taken.
    #[serde(default)]
    pub(super) waits_for_slot: bool,
}

/// A usage limit that stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Limit {
    /// What people are told of it.
    pub reason: String,
    /// When to go on, a little after it is over; none when nobody knows.
    pub resume_at: Option<Timestamp>,
    pub resumes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// No process.
    Gone,
    /// Asked for; not yet known to run.
    Starting,
    /// Runs, and has not answered the handshake yet.
    Greeted,
    Ready,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Turn {
    pub id: TurnId,
    pub command: Option<CommandId>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Message {
    pub command: CommandId,
    pub text: String,
    pub attachments: Vec<Attachment>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Gate {
    /// The agent's id of the asking: the answer names it. None while no agent is there that asked.
    pub request: Option<String>,
    /// What people were shown.
    pub opened: GateOpened,
    pub stage: Stage,
    /// Agents that died over it since one last lived for long.
    #[serde(default)]
    pub deaths: u32,
    /// Reminders so far, and how long it had waited at the last one.
    #[serde(default)]
    pub reminders: u32,
    #[serde(default)]
    pub reminded_after_ms: Option<u64>,
}

/// A call that a person was asked about when the agent ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AskingAgain {
    pub gate: GateId,
    /// How many processes were started for it.
    pub attempts: u32,
}

/// How far a gate is. The order is the law: no tool runs before its decision is acknowledged by EVENTS.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub(super) enum Stage {
    Open,
    /// In the log as `seq`; the agent is told once EVENTS has acknowledged that.
    Decided {
        decision: Box<Decision>,
        seq: u64,
    },
    Released {
        allowed: bool,
    },
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct ToolCall {
    pub gate: Option<GateId>,
}

/// What a session says whose agent cannot start yet. Nothing that was sent is lost meanwhile.
const WAITS_FOR_SLOT: &str = "it waits for a free slot on its host: every one is taken by an agent at work; it goes on by itself, and what was sent is kept";

impl Machine {
    /// A session that has just been asked for. The first step is [`Machine::begin`].
    #[must_use]
    pub fn new(start: SessionStart, started_by: Option<UserId>, isolated: bool) -> Self {
        Self {
            start,
            started_by,
            isolated,
            opened: false,
            ended: false,
            seq: 0,
            agent: AgentState::Gone,
            generation: 0,
            asleep_reason: None,
            turn: None,
            queue: VecDeque::new(),
            handed: Vec::new(),
            gates: BTreeMap::new(),
            tools: BTreeMap::new(),
            perhaps_run: BTreeSet::new(),
            outgoing: Vec::new(),
            cost_of_process_usd: 0.0,
            works_in_background: false,
            told: None,
            acknowledged: 0,
            restarts: 0,
            disk_low: false,
            asking_again: None,
            interrupting: None,
            limit: None,
            resumes_after_limit: None,
            vain_resumes: 0,
            told_reason: None,
            waits_for_slot: false,
        }
    }

    /// The first thing to do for a new session.
    #[must_use]
    pub fn begin(&self) -> Step {
        Step {
            events: Vec::new(),
            effects: vec![Effect::OpenWorktree],
        }
    }

    /// What a restarted runner must do again: everything decided and not known to be done.
    #[must_use]
    pub fn resume(&self) -> Vec<Effect> {
        if self.ended {
            return vec![Effect::EndAgent {
                generation: self.generation,
            }];
        }
        if !self.opened {
            return vec![Effect::OpenWorktree];
        }
        let mut effects = Vec::new();
        match self.agent {
            AgentState::Gone => {}
            AgentState::Starting | AgentState::Greeted | AgentState::Ready => {
                effects.push(Effect::StartAgent {
                    generation: self.generation,
                });
                // One that was greeted before the restart is not greeted again, and must still ask.
                if self.asking_again.is_some() && self.agent != AgentState::Starting {
                    effects.push(Effect::ExpectAsk {
                        generation: self.generation,
                    });
                }
            }
        }
        effects.push(Effect::LookAtFiles { tool_use: None });
        effects
    }

    /// Answers one input. The machine has already moved on when this returns: record before performing.
    pub fn step(&mut self, input: Input) -> Step {
        let mut step = Step::default();
        match input {
            Input::Order(order) => self.order(*order, &mut step),
            Input::Opened(opened) => self.opened(opened, &mut step),
            Input::CouldNotOpen { reason } => self.end(reason, false, &mut step),
            Input::AgentStarted { generation } => self.agent_started(generation, &mut step),
            Input::AgentNotStarted { generation, reason } => {
                self.agent_not_started(generation, &reason, &mut step)
            }
            Input::Agent(event) => self.agent_said(event, &mut step),
            Input::AgentExited(end) => self.agent_exited(&end, &mut step),
            Input::Written { id } => self.outgoing.retain(|outgoing| outgoing.id() != id),
            Input::NotWritten { id } => self.not_written(&id),
            Input::Acknowledged { seq } => {
                self.acknowledged = seq;
                self.release_decided(&mut step);
            }
            Input::NotAskedAgain { generation, reason } => {
                self.not_asked_again(generation, &reason, &mut step)
            }
            Input::Disk { low } => self.disk(low, &mut step),
            Input::Sleep => self.sleep("to free memory", &mut step),
            Input::Yield if self.has_nothing_to_do() => {
                self.sleep("to make room for another session", &mut step)
            }
            Input::Yield => {}
            Input::Slot { waits } => {
                self.waits_for_slot = waits && self.agent == AgentState::Starting
            }
            Input::AgentLives { generation } => self.agent_lives(generation),
            Input::Remind { gate, waited_ms } => self.remind(gate, waited_ms, &mut step),
            Input::Limit(seen) => self.limit_reached(seen, &mut step),
            Input::LimitOver => self.limit_over(&mut step),
            Input::FilesChanged { changes } => {
                step.events.extend(changes.into_iter().map(Into::into))
            }
            Input::Warning {
                code,
                message,
                hint,
            } => {
                step.event(nats::event::Warning {
                    code,
                    message,
                    hint,
                });
            }
        }
        self.tell_state(&mut step);
        self.seq += step.events.len() as u64;
        step
    }

    /// Where the session stands.
    #[must_use]
    pub fn state(&self) -> State {
        if self.ended {
            return State::Ended;
        }
        if self
            .gates
            .values()
            .any(|gate| matches!(gate.stage, Stage::Open))
        {
            return State::Waiting;
        }
        match (self.agent, &self.turn) {
            (AgentState::Gone, _) if self.opened => State::Asleep,
            (AgentState::Gone | AgentState::Starting | AgentState::Greeted, None) => {
                State::Starting
            }
            (AgentState::Ready, None) => State::Idle,
            (_, Some(_)) => State::Working,
        }
    }

    /// What must be written to the agent and may not have been: sent again to every shim that is attached to.
    #[must_use]
    pub fn outgoing(&self) -> &[Outgoing] {
        &self.outgoing
    }

    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    #[must_use]
    pub const fn agent(&self) -> AgentState {
        self.agent
    }

    /// Whether the worktree is made.
    #[must_use]
    pub const fn has_begun(&self) -> bool {
        self.opened
    }

    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.ended
    }

    #[must_use]
    pub const fn start(&self) -> &SessionStart {
        &self.start
    }

    /// The newest seq given out.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    fn opened(&mut self, opened: Opened, step: &mut Step) {
        if self.opened || self.ended {
            return;
        }
        self.opened = true;
        let uncommitted = opened.uncommitted;
        step.event(nats::event::SessionOpened {
            project: self.start.project.clone(),
            agent: self.start.agent.clone(),
            title: self.start.title.clone(),
            branch: opened.branch,
            base: opened.base,
            worktree: opened.worktree,
            isolated: self.isolated,
            started_by: self.started_by,
        });
        if uncommitted > 0 {
            let (files, are) = if uncommitted == 1 {
                ("file", "is")
            } else {
                ("files", "are")
            };
            step.event(nats::event::Warning {
                code: "checkout_dirty".to_owned(),
                message: format!("{uncommitted} uncommitted {files} of the checkout {are} not in this session's worktree"),
                hint: Some("commit them and start another session if the agent should see them".to_owned()),
            });
        }
        if let (Some(prompt), Some(id)) = (self.start.prompt.clone(), self.start.prompt_id) {
            self.take_message(id, prompt, self.started_by, step);
        }
        self.start_agent(step);
    }

    /// The last event. Whatever is open is withdrawn, never denied.
    pub(super) fn end(&mut self, reason: String, clean: bool, step: &mut Step) {
        if self.ended {
            return;
        }
        self.abandon(&reason, false, step);
        self.ended = true;
        self.queue.clear();
        self.outgoing.clear();
        self.tell_state(step);
        step.event(nats::event::SessionEnded { reason, clean });
        step.effect(Effect::EndAgent {
            generation: self.generation,
        });
        self.agent = AgentState::Gone;
        self.waits_for_slot = false;
    }

    /// Why it stands where it does, where that is not plain.
    fn reason(&self, state: State) -> Option<String> {
        if self.waits_for_slot {
            return Some(WAITS_FOR_SLOT.to_owned());
        }
        let limit = || self.limit.as_ref().map(|limit| limit.reason.clone());
        match state {
            State::Waiting if self.agent == AgentState::Gone => Some(
                "the agent was stopped to free memory while it waits; a decision wakes it"
                    .to_owned(),
            ),
            State::Idle => limit(),
            State::Asleep => limit().or_else(|| self.asleep_reason.clone()),
            State::Queued
            | State::Starting
            | State::Working
            | State::Waiting
            | State::Lost
            | State::Ended => None,
        }
    }

    /// An event when the state is another than the last one told.
    fn tell_state(&mut self, step: &mut Step) {
        let state = self.state();
        // Before the session is opened there is nothing to stand anywhere, and `ended` has an event of its own.
        let silent = !self.opened || state == State::Ended;
        let reason = self.reason(state);
        if silent || (self.told == Some(state) && self.told_reason == reason) {
            return;
        }
        self.told = Some(state);
        self.told_reason.clone_from(&reason);
        step.event(SessionState { state, reason });
    }
}
