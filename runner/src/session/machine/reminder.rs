//! Gates that wait for long are told of again. A reminder decides nothing.

use std::collections::BTreeMap;

use nats::event::GateReminded;
use nats::ids::GateId;

use super::effect::Step;
use super::state::{Machine, Stage};

impl Machine {
    /// Every gate that waits for a person, and after how many milliseconds it was last told of again.
    #[must_use]
    pub fn waiting_gates(&self) -> BTreeMap<GateId, Option<u64>> {
        let open = |gate: &super::state::Gate| matches!(gate.stage, Stage::Open);
        self.gates
            .iter()
            .filter(|(_, gate)| open(gate))
            .map(|(id, gate)| (*id, gate.reminded_after_ms))
            .collect()
    }

    pub(super) fn remind(&mut self, id: GateId, waited_ms: u64, step: &mut Step) {
        let Some(gate) = self
            .gates
            .get_mut(&id)
            .filter(|gate| matches!(gate.stage, Stage::Open))
        else {
            return;
        };
        gate.reminders += 1;
        gate.reminded_after_ms = Some(waited_ms);
        step.event(GateReminded {
            gate: id,
            waited_minutes: waited_ms / 60_000,
            count: gate.reminders,
        });
    }
}
