//! Faults × moments × outcomes: what befalls a fleet while sessions are at work, and what must hold afterwards.
//!
//! The truth about what ran is a ledger outside Flotilla, to which the commands of the sessions append. Knows Flotilla
//! only as a person does, over HTTP, and as an administrator does, by its processes.

mod agent;
mod fault;
mod moment;
mod silences;

mod clock;
mod disk;
mod ledger;
mod link;
mod power;
mod wire;

mod calm;
mod person;

mod journey;
mod laws;
mod strike;

mod cell;
mod ground;
mod keep;

mod plan;
mod run;

mod leftovers;

mod record;
mod report;
mod table;

pub use agent::Agent;
pub use clock::{Clock, Step};
pub use fault::Fault;
pub use leftovers::Premises;
pub use moment::Moment;
pub use power::{FileSystem, Machine};
pub use record::{End, Journal, Line, Run, read};
pub use report::write as write_report;
pub use run::{Progress, Settings, Told, run};
pub use silences::Silences;
pub use table::{Row, Table};
