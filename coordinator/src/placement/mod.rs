//! Where a session goes: pure functions of what was asked, what the hosts report and what they hold.
//!
//! Knows no clock and no network, and is the same on every coordinator. The answer is a host with the reason for it, or
//! what keeps each host from it in words; what no host could ever do is refused with a hint. Deliberately knows nothing
//! of runners' own minds: a runner is the arbiter of its slots, and refuses what was placed on a picture too old.

mod choose;
mod load;
mod obstacle;
mod queue;
mod wanted;

pub use choose::{Choice, Placed, choose};
pub use load::{Held, Holding, Loads};
pub use queue::{Plan, Request, plan};
pub use wanted::{Refused, Wanted, resolve};

#[cfg(test)]
mod tests;
