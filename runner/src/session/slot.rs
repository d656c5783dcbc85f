//! A session's slot on its host: taken before its agent starts, left when that is gone, given up for one that waits.

use super::machine::{AgentState, Input};
use super::task::Task;
use crate::slots::Standing;

impl Task {
    /// Says what the session needs before its task runs, so that nobody else gets it meanwhile.
    pub(super) fn claim_slot(&self) {
        let machine = &self.saved.machine;
        let runs = match machine.agent() {
            AgentState::Greeted | AgentState::Ready => true,
            // Asked for when the last runner ended: perhaps it was started and perhaps not.
            AgentState::Starting => self.paths.socket(machine.generation()).exists(),
            AgentState::Gone => false,
        };
        if runs {
            self.seat.hold();
        } else if machine.agent() == AgentState::Starting || !machine.has_begun() {
            self.seat.take();
        }
    }

    /// Starts the agent, now or once there is a slot for it.
    pub(super) fn start_agent_in_slot(&mut self, generation: u32) {
        match self.seat.take() {
            Standing::Holds | Standing::Yields => self.start_agent(generation),
            Standing::Waits | Standing::Without => self.start_due = Some(generation),
        }
    }

    /// Another standing among those who want a slot.
    pub(super) async fn stands(&mut self, standing: Standing) {
        match standing {
            Standing::Without => {}
            Standing::Waits => {
                if self.start_due.is_some() {
                    self.step(vec![Input::Slot { waits: true }], None).await;
                }
            }
            Standing::Holds => {
                if let Some(generation) = self.start_due.take() {
                    self.step(vec![Input::Slot { waits: false }], None).await;
                    let machine = &self.saved.machine;
                    let wanted = machine.agent() == AgentState::Starting
                        && machine.generation() == generation;
                    if wanted {
                        self.start_agent(generation);
                    }
                }
            }
            Standing::Yields => {
                if self.saved.machine.has_nothing_to_do() {
                    self.step(vec![Input::Yield], None).await;
                }
            }
        }
    }

    /// Leaves the slot when there is no agent, and says whether there is anything for it to do.
    pub(super) fn note_slot(&mut self) {
        let machine = &self.saved.machine;
        if machine.agent() == AgentState::Gone && (machine.has_begun() || machine.has_ended()) {
            self.start_due = None;
            self.seat.leave();
        }
        self.seat.rest(machine.has_nothing_to_do());
    }
}
