//! The runner around the machine, as its task is: it records before it acts, and forgets what it did not record.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use nats::command::SessionStop;
use nats::event::{ToolOutcome, TurnOutcome};
use proptest::prelude::*;

use super::super::*;
use super::Happening;
use super::agent::{Frame, Process, Told};
use crate::relay::machine as relay;
use crate::relay::model::{self, Publish, Server};

const EPOCH: u64 = 1;
const TOOLS: u8 = 3;

/// What is on the disk.
#[derive(Clone)]
struct Disk {
    machine: Machine,
    /// How much of the present process's output was read.
    position: usize,
    /// Each with the most that the server had held by then.
    events: Vec<(Event, u64)>,
    inbox: BTreeSet<CommandId>,
}

pub(super) struct World {
    disk: Disk,
    machine: Machine,
    position: usize,
    attached: bool,
    crash_in_step: Option<bool>,
    /// Runners so far: what one was about to do, the next one does not.
    runners: u32,
    process: Option<Process>,
    /// Commands that are not recorded yet.
    commands: Vec<Order>,
    relay: relay::Machine,
    under_way: Option<relay::Effect>,
    now: Duration,
    server: Server,
    /// The most that the server ever held.
    held: u64,
    /// The agents' ledger, likewise.
    told: Vec<(Told, u64)>,
}

impl World {
    pub(super) fn new() -> Self {
        let machine = Session::opened(Some("go"));
        let disk = Disk {
            machine: machine.machine.clone(),
            position: 0,
            events: machine.events.into_iter().map(|it| (it, 0)).collect(),
            inbox: BTreeSet::new(),
        };
        let mut world = Self {
            machine: machine.machine,
            disk,
            position: 0,
            attached: false,
            crash_in_step: None,
            runners: 0,
            process: None,
            commands: Vec::new(),
            relay: relay::Machine::new(EPOCH, 0),
            under_way: None,
            now: Duration::ZERO,
            server: Server::default(),
            held: 0,
            told: Vec::new(),
        };
        world.starts();
        world
    }

    /// A runner starts: everything in memory comes from the disk.
    fn starts(&mut self) {
        let stored = serde_json::to_string(&self.disk.machine).unwrap();
        self.machine = serde_json::from_str(&stored).unwrap();
        self.position = self.disk.position;
        self.attached = false;
        self.crash_in_step = None;
        self.runners += 1;
        if let Some(process) = &mut self.process {
            process.frames.clear();
        }
        self.relay = relay::Machine::new(EPOCH, self.machine.seq());
        self.under_way = Some(relay::Effect::Locate);
        let runner = self.runners;
        for effect in self.machine.resume() {
            if self.runners == runner {
                self.perform(effect);
            }
        }
    }

    /// Steps, records, performs; a crash may come in between.
    fn step(&mut self, input: Input, order: Option<CommandId>) {
        let step = self.machine.step(input);
        for effect in &step.effects {
            if matches!(effect, Effect::StartAgent { .. }) {
                self.position = 0;
                self.attached = false;
            }
        }
        let acts = step.effects.iter().any(|effect| {
            !matches!(
                effect,
                Effect::Live { .. } | Effect::LookAtFiles { .. } | Effect::ExpectAsk { .. }
            )
        });
        if !step.events.is_empty() || order.is_some() || acts {
            if self.crash_in_step == Some(false) {
                return self.starts();
            }
            self.disk.machine = self.machine.clone();
            self.disk.position = self.position;
            let held = self.held;
            self.disk
                .events
                .extend(step.events.into_iter().map(|it| (it, held)));
            self.disk.inbox.extend(order);
            if self.crash_in_step == Some(true) {
                return self.starts();
            }
            self.tell_relay(relay::Input::Newest(self.machine.seq()));
        }
        let runner = self.runners;
        for effect in step.effects {
            if self.runners == runner {
                self.perform(effect);
            }
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::StartAgent { generation } => self.attach(generation),
            Effect::EndAgent { generation } => {
                if self.process_of(generation).is_some() {
                    self.process = None;
                    self.attached = false;
                }
            }
            Effect::Send(outgoing) => self.send(outgoing),
            Effect::OpenWorktree
            | Effect::ExpectAsk { .. }
            | Effect::Live { .. }
            | Effect::BlockDone { .. }
            | Effect::LookAtFiles { .. } => {}
        }
    }

    fn attach(&mut self, generation: u32) {
        if self.process_of(generation).is_none() {
            if self.machine.agent() != AgentState::Starting {
                let cause = "the agent and its shim are gone".to_owned();
                return self.step(exited(generation, Some(cause)), None);
            }
            let mut process = Process::new(generation);
            // Made to ask again: it does so once it is greeted, which `Ask` of the same call stands for.
            process.reads(true);
            self.process = Some(process);
        }
        self.attached = true;
        for outgoing in self.machine.outgoing().to_vec() {
            self.send(outgoing);
        }
        self.step(Input::AgentStarted { generation }, None);
    }

    fn process_of(&mut self, generation: u32) -> Option<&mut Process> {
        self.process
            .as_mut()
            .filter(|process| process.generation == generation)
    }

    fn send(&mut self, outgoing: Outgoing) {
        if self.attached
            && let Some(process) = &mut self.process
        {
            let told = process.offer(outgoing);
            self.told.extend(told.into_iter().map(|it| (it, self.held)));
        }
    }

    /// One thing from the shim: an answer to an input, a piece of output, or the end when there is no more.
    fn hears(&mut self) {
        if !self.attached {
            return;
        }
        let position = self.position;
        let Some(process) = &mut self.process else {
            // The line broke with the shim.
            self.attached = false;
            if self.machine.agent() != AgentState::Gone {
                self.attach(self.machine.generation());
            }
            return;
        };
        if let Some(frame) = process.frames.pop_front() {
            let input = match frame {
                Frame::Accepted(id) => Input::Written { id },
                Frame::Refused(id) => Input::NotWritten { id },
            };
            return self.step(input, None);
        }
        if let Some(event) = process.output.get(position).cloned() {
            self.position += 1;
            return self.step(Input::Agent(event), None);
        }
        if !process.alive {
            let generation = process.generation;
            self.step(exited(generation, None), None);
        }
    }

    pub(super) fn happens(&mut self, it: &Happening) {
        match *it {
            Happening::Send => self.command(MessageSend {
                text: "m".into(),
                ..MessageSend::default()
            }),
            Happening::Decide(tool, allow) => self.decides(&name(tool), allow),
            Happening::Stop => self.command(SessionStop {}),
            Happening::Interrupt => self.command(nats::command::TurnInterrupt {}),
            Happening::Ask(tool) => self.agent(|agent| agent.asks(&name(tool))),
            Happening::Finish(tool) => self.agent(|agent| agent.finishes(&name(tool))),
            Happening::TurnOver => self.agent(|agent| agent.turn_over(TurnOutcome::Completed)),
            Happening::AgentDies => self.agent(Process::dies),
            Happening::ShimDies => self.process = None,
            Happening::AgentReads(reads) => {
                if let Some(process) = &mut self.process {
                    let told = process.reads(reads);
                    self.told.extend(told.into_iter().map(|it| (it, self.held)));
                }
            }
            Happening::Hears => self.hears(),
            Happening::NotAsked => {
                let generation = self.machine.generation();
                let reason = "it went on without asking".to_owned();
                self.step(Input::NotAskedAgain { generation, reason }, None);
            }
            Happening::Sleep => self.step(Input::Sleep, None),
            Happening::DiskLow(low) => self.step(Input::Disk { low }, None),
            Happening::RelayEnds { done, answered } => self.relay_ends(done, answered),
            Happening::TimePasses => {
                self.now += Duration::from_secs(4);
                self.tell_relay(relay::Input::Woken);
            }
            Happening::Full(it) => self.server.is_full = it,
            Happening::BatchesRefused(it) => self.server.refuses_batches = it,
            Happening::ServerRestarts(lost) => {
                self.server.lose(lost);
                if matches!(self.under_way, Some(relay::Effect::Publish { .. })) {
                    self.relay_ends(false, false);
                }
                self.tell_relay(relay::Input::Reconnected);
            }
            Happening::Crash => self.starts(),
            Happening::CrashInStep { recorded } => self.crash_in_step = Some(recorded),
        }
        self.deliver();
    }

    fn agent(&mut self, does: impl FnOnce(&mut Process)) {
        if let Some(process) = &mut self.process {
            does(process);
        }
    }

    fn command(&mut self, command: impl Into<Command>) {
        self.commands.push(order(command));
    }

    /// Commands come again until they are recorded, one at a time.
    fn deliver(&mut self) {
        if let Some(order) = self.commands.first().cloned() {
            if !self.disk.inbox.contains(&order.id) {
                self.step(Input::Order(Box::new(order.clone())), Some(order.id));
            }
            self.commands.retain(|it| !self.disk.inbox.contains(&it.id));
        }
    }

    /// A person decides whatever gate of this call was shown last.
    fn decides(&mut self, tool: &str, allow: bool) {
        let opened = self
            .disk
            .events
            .iter()
            .rev()
            .find_map(|(event, _)| match event {
                Event::GateOpened(it) if it.tool_use == tool => Some(it.clone()),
                _ => None,
            });
        if let Some(opened) = opened {
            let verdict = if allow { Verdict::Allow } else { Verdict::Deny };
            self.command(GateDecide {
                gate: opened.gate,
                decision: decision(verdict, opened.input_hash),
            });
        }
    }

    fn relay_ends(&mut self, done: bool, answered: bool) {
        let input = match self.under_way.take() {
            Some(relay::Effect::Locate) if done && answered => {
                relay::Input::Located(self.server.locate())
            }
            Some(relay::Effect::Locate) => relay::Input::Located(relay::Located::Unreadable),
            Some(relay::Effect::Publish { after, manner }) => {
                let newest = self.machine.seq();
                let publish = Publish::new(EPOCH, after, manner, newest, 500);
                let mut published = relay::Published {
                    stored: None,
                    ended: Err(relay::Trouble::NoAnswer),
                };
                if done {
                    let (stored, sequence, result) = self.server.publish(&publish);
                    let before = self.server.events.len() - stored;
                    for (index, event) in self.server.events.iter().enumerate().skip(before) {
                        assert_eq!(event.seq, index as u64 + 1, "EVENTS has 1, 2, 3 …");
                    }
                    if answered {
                        published = model::published(&publish, stored, sequence, result);
                    }
                }
                relay::Input::Published(published)
            }
            Some(relay::Effect::Report(_)) | None => return,
        };
        let held = self.server.last().map_or(0, |last| last.seq);
        self.held = self.held.max(held);
        self.tell_relay(input);
    }

    fn tell_relay(&mut self, input: relay::Input) {
        let runner = self.runners;
        for effect in self.relay.step(self.now, input) {
            if self.runners != runner {
                return;
            }
            match effect {
                relay::Effect::Report(relay::Reached::UpTo(seq)) => {
                    self.step(Input::Acknowledged { seq }, None);
                }
                relay::Effect::Report(relay::Reached::FormerOwner) => {
                    panic!("nobody else is there")
                }
                relay::Effect::Locate | relay::Effect::Publish { .. } => {
                    self.under_way = Some(effect);
                }
            }
        }
    }

    /// The laws, from what the agents were told and what the server has.
    pub(super) fn holds_laws(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.machine.seq(), self.disk.events.len() as u64);
        let mut decided = BTreeMap::new();
        let mut denied_calls = BTreeSet::new();
        let mut calls = BTreeMap::new();
        for ((event, held), seq) in self.disk.events.iter().zip(1_u64..) {
            match event {
                Event::GateOpened(it) => {
                    calls.insert(it.gate, it.tool_use.clone());
                }
                Event::GateDecided(it) => {
                    let first = decided
                        .insert(it.gate, (seq, it.decision.verdict))
                        .is_none();
                    prop_assert!(first, "the first decision wins");
                    if it.decision.verdict == Verdict::Deny {
                        denied_calls.extend(calls.get(&it.gate).cloned());
                    }
                }
                Event::ToolReleased(it) => {
                    let (seq, verdict) = decided[&it.gate];
                    prop_assert!(seq <= *held, "released before EVENTS held the decision");
                    prop_assert_eq!(it.allowed, verdict != Verdict::Deny);
                }
                Event::ToolFinished(it) if it.outcome == ToolOutcome::Denied => {
                    prop_assert!(
                        denied_calls.contains(&it.tool_use),
                        "a denial that nobody took"
                    );
                }
                _ => {}
            }
        }
        let (mut requests, mut allowed) = (BTreeSet::new(), BTreeSet::new());
        for (told, held) in &self.told {
            let Some((seq, verdict)) = decided.get(&told.gate) else {
                return Err(TestCaseError::fail(format!("told undecided: {told:?}")));
            };
            prop_assert!(seq <= held, "told before EVENTS held the decision");
            prop_assert_eq!(*verdict, told.verdict, "told what nobody decided");
            prop_assert!(
                requests.insert((told.generation, &told.request)),
                "an agent is told once"
            );
            if told.verdict != Verdict::Deny {
                prop_assert!(allowed.insert(told.gate), "one yes runs a call once");
            }
        }
        Ok(())
    }

    /// Every fault is over, and everything that is under way comes to its end.
    pub(super) fn heals(&mut self) {
        self.crash_in_step = None;
        self.server.is_full = false;
        self.server.refuses_batches = false;
        self.happens(&Happening::AgentReads(true));
        for _ in 0..150 {
            self.hears();
            self.deliver();
            self.relay_ends(true, true);
            if self.under_way.is_none() {
                self.happens(&Happening::TimePasses);
            }
        }
    }

    /// Nothing is left behind: the server has the log, commands are taken, and who asked was told what was decided.
    pub(super) fn has_settled(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.server.events.len(), self.disk.events.len());
        prop_assert!(self.commands.is_empty());
        let Some(process) = self.process.as_ref().filter(|_| self.attached) else {
            return Ok(());
        };
        let unanswered: BTreeSet<&str> = process.unanswered().collect();
        for gate in self.machine.gates.values() {
            let decided = matches!(
                gate.stage,
                super::super::super::state::Stage::Decided { .. }
            );
            let waits = gate
                .request
                .as_deref()
                .is_some_and(|it| unanswered.contains(it));
            prop_assert!(!(decided && waits), "decided, and its agent still waits");
        }
        Ok(())
    }
}

fn name(tool: u8) -> String {
    format!("tool-{}", tool % TOOLS)
}

fn exited(generation: u32, cause: Option<String>) -> Input {
    Input::AgentExited(AgentEnd {
        generation,
        code: None,
        signal: Some(9),
        cause,
        stderr_tail: String::new(),
        half_line_bytes: 0,
    })
}
