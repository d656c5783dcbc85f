//! Letting hosts in and taking them out: tokens, whose key each host has, and whose no host has any more.
//!
//! Tokens and identities are records in NATS, so any coordinator can honour what another one promised, and each is used
//! once by compare-and-set. What a host may do is not decided here: it is in the account of the fleet.

mod address;
mod judge;
mod office;
mod qr;
mod renewals;
mod revocations;

pub use address::{Addresses, authority};
pub use judge::Refused;
pub use office::{Error, Office};
pub use qr::code as qr_code;
pub use renewals::answer as answer_renewals;
pub use revocations::Revocations;
