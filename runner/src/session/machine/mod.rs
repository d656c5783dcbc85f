//! The life of one session, as a pure machine: no clock, no IO, no tasks.
//!
//! Inputs are what people want, what the agent says, and what became of earlier effects. A step yields events to
//! record and effects to perform once they are recorded. The whole machine is stored with the events it made, so a
//! restarted runner goes on exactly where the log ends. It deliberately knows no agent's dialect.

mod again;
mod agent;
mod command;
mod effect;
mod gate;
mod input;
mod limit;
mod reminder;
mod state;
mod turn;

#[cfg(test)]
mod tests;

pub use effect::{Effect, Outgoing, Step};
pub use input::{AgentEnd, Input, LimitSeen, Opened};
pub use state::{AgentState, Machine};
