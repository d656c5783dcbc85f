//! An agent and its shim, as far as a session can tell: output that is kept, inputs that are written once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use nats::event::{ToolOutcome, TurnOutcome, Verdict};
use nats::ids::GateId;

use super::super::super::Outgoing;
use super::super::finished;
use crate::agent::{AgentEvent, FilesTouched};

/// One process with its shim.
pub(super) struct Process {
    pub generation: u32,
    pub alive: bool,
    reads: bool,
    ready: bool,
    /// Everything it has said; a session reads from where its log stands.
    pub output: Vec<AgentEvent>,
    waiting: VecDeque<Outgoing>,
    accepted: BTreeSet<String>,
    /// Calls that wait for an answer, by the request that names them.
    asked: BTreeMap<String, String>,
    /// Calls that were allowed and have not come to their end.
    running: BTreeSet<String>,
    asks: u32,
    /// To be heard by whoever is attached.
    pub frames: VecDeque<Frame>,
}

#[derive(Debug, Clone)]
pub(super) enum Frame {
    Accepted(String),
    Refused(String),
}

/// The agent was told something of a gate.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub generation: u32,
    pub gate: GateId,
    pub request: String,
    pub verdict: Verdict,
}

impl Process {
    pub(super) fn new(generation: u32) -> Self {
        Self {
            generation,
            alive: true,
            reads: true,
            ready: false,
            output: Vec::new(),
            waiting: VecDeque::new(),
            accepted: BTreeSet::new(),
            asked: BTreeMap::new(),
            running: BTreeSet::new(),
            asks: 0,
            frames: VecDeque::new(),
        }
    }

    /// A session sends an input: once or many times.
    pub(super) fn offer(&mut self, outgoing: Outgoing) -> Vec<Told> {
        let id = outgoing.id();
        if self.accepted.contains(&id) {
            self.frames.push_back(Frame::Accepted(id));
        } else if !self.alive {
            self.frames.push_back(Frame::Refused(id));
        } else if !self.waiting.iter().any(|it| it.id() == id) {
            self.waiting.push_back(outgoing);
        }
        self.write()
    }

    pub(super) fn reads(&mut self, reads: bool) -> Vec<Told> {
        self.reads = reads;
        self.write()
    }

    fn write(&mut self) -> Vec<Told> {
        let mut told = Vec::new();
        while self.alive && self.reads {
            let Some(outgoing) = self.waiting.pop_front() else {
                break;
            };
            self.accepted.insert(outgoing.id());
            self.frames.push_back(Frame::Accepted(outgoing.id()));
            told.extend(self.take(outgoing));
        }
        told
    }

    fn take(&mut self, outgoing: Outgoing) -> Option<Told> {
        match outgoing {
            Outgoing::Handshake { .. } => {
                self.ready = true;
                self.output.push(AgentEvent::Ready {
                    version: None,
                    model: None,
                });
            }
            Outgoing::Message { command, .. } => {
                self.output.push(AgentEvent::MessageTaken { command });
            }
            Outgoing::Answer {
                gate,
                request,
                decision,
                ..
            } => {
                if let Some(tool_use) = self.asked.remove(&request) {
                    if decision.verdict == Verdict::Deny {
                        self.ends(&tool_use, ToolOutcome::Failed);
                    } else {
                        self.running.insert(tool_use);
                    }
                }
                return Some(Told {
                    generation: self.generation,
                    gate,
                    request,
                    verdict: decision.verdict,
                });
            }
            Outgoing::Interrupt { .. } => self.turn_over(TurnOutcome::Interrupted),
            Outgoing::Reply { .. } => {}
        }
        None
    }

    /// Asks for a call, unless it does already.
    pub(super) fn asks(&mut self, tool_use: &str) {
        let busy = self.asked.values().any(|it| it == tool_use) || self.running.contains(tool_use);
        if !self.alive || !self.ready || busy {
            return;
        }
        self.asks += 1;
        let request = format!("request-{}-{}", self.generation, self.asks);
        self.asked.insert(request.clone(), tool_use.to_owned());
        self.output
            .push(AgentEvent::Asked(super::super::ask(&request, tool_use)));
    }

    pub(super) fn finishes(&mut self, tool_use: &str) {
        if self.alive && self.running.remove(tool_use) {
            self.ends(tool_use, ToolOutcome::Succeeded);
        }
    }

    fn ends(&mut self, tool_use: &str, outcome: ToolOutcome) {
        self.output.push(AgentEvent::ToolFinished {
            tool_use: tool_use.to_owned(),
            outcome,
            output: String::new(),
            files: FilesTouched::No,
        });
    }

    /// Its turn ends; what it had asked it asks no more, and what ran was stopped.
    pub(super) fn turn_over(&mut self, outcome: TurnOutcome) {
        if !self.alive || !self.ready {
            return;
        }
        for (request, tool_use) in std::mem::take(&mut self.asked) {
            self.output.push(AgentEvent::AskWithdrawn { request });
            self.ends(&tool_use, ToolOutcome::Interrupted);
        }
        for tool_use in std::mem::take(&mut self.running) {
            self.ends(&tool_use, ToolOutcome::Interrupted);
        }
        self.output.push(finished(outcome, 1.0));
    }

    pub(super) fn dies(&mut self) {
        if !std::mem::replace(&mut self.alive, false) {
            return;
        }
        let refused = self.waiting.drain(..).map(|it| Frame::Refused(it.id()));
        self.frames.extend(refused);
    }

    /// Requests that nobody has answered, while it is there to be told.
    pub(super) fn unanswered(&self) -> impl Iterator<Item = &str> {
        self.asked.keys().filter(|_| self.alive).map(String::as_str)
    }
}
