//! From a stored row to what a browser sees: with names for ids, and with what only this moment tells, such as a
//! host that is silent.

use nats::event::State;

use crate::api::{Gate, HostState, ImportedFrom, QueuePlace, SessionRow, UsageLimit};
use crate::auth::People;
use crate::hosts::Hosts;
use crate::projection::{StoredGate, StoredSession};
use crate::queue::{Line, Place};

/// Cheap to clone.
#[derive(Clone)]
pub struct Show {
    hosts: Hosts,
    people: People,
    line: Line,
}

impl Show {
    #[must_use]
    pub const fn new(hosts: Hosts, people: People, line: Line) -> Self {
        Self {
            hosts,
            people,
            line,
        }
    }

    #[must_use]
    pub const fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    #[must_use]
    pub fn session(&self, stored: &StoredSession) -> SessionRow {
        let (record, facts) = (&stored.record, &stored.facts);
        let view = self.hosts.view();
        let place = record
            .is_queued()
            .then(|| self.line.place(record.session))
            .flatten();
        let (state, reason) = standing(stored, view.state(&record.host), place.as_ref());
        SessionRow {
            id: record.session,
            title: facts.title.clone().unwrap_or_else(|| record.title.clone()),
            project: record.project.clone(),
            project_name: view.project_name(&record.project),
            agent: record.agent.clone(),
            host: (record.placement.queued_since.is_none()).then(|| record.host.clone()),
            placed_because: record.placement.reason.clone(),
            queue: place.map(|place| QueuePlace {
                position: place.position,
                length: place.length,
                reason: place.reason,
            }),
            epoch: record.epoch,
            state,
            state_reason: reason,
            branch: facts.branch.clone(),
            base: facts.base.clone().or_else(|| record.base.clone()),
            worktree: facts.worktree.clone(),
            isolated: facts.isolated,
            model: facts.model.clone(),
            pending_gates: stored.pending_gates,
            oldest_gate: stored.oldest_gate,
            waiting_since: stored.waiting_since,
            // What an ended session was still told, nobody will take.
            undelivered: if stored.ended() {
                Vec::new()
            } else {
                stored.undelivered.clone()
            },
            added: facts.added,
            removed: facts.removed,
            turns: facts.turns,
            tokens: facts.tokens,
            cost_usd: facts.cost_usd,
            context_tokens: facts.context_tokens,
            context_tokens_max: facts.context_tokens_max,
            can_continue: facts.continue_reason.is_some(),
            continue_reason: facts.continue_reason.clone(),
            limit: facts.limit.as_ref().map(|limit| UsageLimit {
                message: limit.message.clone(),
                resets_at: limit.resets_at,
                resumes: limit.resumes,
            }),
            last_seq: facts.last_seq,
            labels: record.labels.clone(),
            imported: record.imported.as_ref().map(|from| ImportedFrom {
                host: from.host.clone(),
                at: from.at,
                by: from.by,
                by_name: self.people.name(from.by),
            }),
            created_at: record.created_at,
            created_by: record.created_by,
            created_by_name: self.people.name(record.created_by),
            updated_at: facts.updated_at.unwrap_or(record.created_at),
        }
    }

    /// None while only a decision of it is known, and not what was asked.
    #[must_use]
    pub fn gate(&self, stored: &StoredGate) -> Option<Gate> {
        let facts = &stored.facts;
        let (state, opened) = (facts.state()?, facts.opened.as_ref()?);
        let (session, asked) = (&stored.session, opened.gate.clone());
        Some(Gate {
            id: stored.id,
            session: session.record.session,
            session_title: session
                .facts
                .title
                .clone()
                .unwrap_or_else(|| session.record.title.clone()),
            host: session.record.host.clone(),
            project: session.record.project.clone(),
            project_name: self.hosts.view().project_name(&session.record.project),
            branch: session.facts.branch.clone(),
            agent: session.record.agent.clone(),
            kind: asked.kind,
            tool: asked.tool,
            tool_use: asked.tool_use,
            input: asked.input,
            truncated: opened.object.is_some(),
            input_hash: asked.input_hash,
            summary: asked.summary,
            risks: asked.risks,
            questions: asked.questions,
            plan: asked.plan,
            turn: asked.turn,
            parent: asked.parent,
            opened_at: opened.at,
            seq: opened.seq,
            state,
            reminders: facts.reminded.map_or(0, |reminded| reminded.count),
            reminded_at: facts.reminded.map(|reminded| reminded.at),
            decision: facts.decision().cloned(),
            withdrawn_reason: facts.withdrawn_reason().map(str::to_owned),
            receipts: facts.receipts(),
        })
    }
}

/// `queued` and `lost` are ours to say: no event of a host does.
fn standing(
    stored: &StoredSession,
    host: HostState,
    place: Option<&Place>,
) -> (State, Option<String>) {
    let facts = &stored.facts;
    let silent = host == HostState::Silent;
    let name = &stored.record.host;
    match facts.state {
        _ if stored.record.imported.is_some() => (State::Ended, facts.reason.clone()),
        Some(State::Ended) => (State::Ended, facts.reason.clone()),
        _ if stored.record.never_began() => (
            State::Ended,
            Some("stopped by a person before it began".to_owned()),
        ),
        _ if stored.record.is_queued() => (
            State::Queued,
            Some(place.map_or_else(
                || "Waits for a host.".to_owned(),
                |place| format!("Waits for a host. {}.", place.reason),
            )),
        ),
        None if silent => (
            State::Queued,
            Some(format!("Waits for {name}, which is silent.")),
        ),
        None if stored.last_seq() == 0 => (State::Queued, Some(format!("On its way to {name}."))),
        Some(_) if silent => (
            State::Lost,
            Some(format!(
                "{name} is silent; the session goes on once it is back."
            )),
        ),
        None => (State::Starting, None),
        Some(state) => (state, facts.reason.clone()),
    }
}
