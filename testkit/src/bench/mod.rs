//! What it costs, measured: each figure beside the bare agent or the raw engine in the same run, interleaved with it.
//!
//! Owns what is measured and how. What is measured is a whole installation of real processes, as a person would start
//! it; no part of Flotilla is called as a function. Nothing here is a test: figures are printed, never asserted.

mod figure;
mod machine;
mod report;
mod samples;

mod bare;
mod stage;
mod tab;

mod decisions;
mod deltas;
mod fan_out;
mod first_text;
mod memory;
mod rebuild;
mod recovery;
mod reload;
mod throughput;

mod run;

pub use figure::Figure;
pub use machine::Machine;
pub use report::{json, markdown};
pub use run::{Settings, Topic, run};
