//! A coordinator on a real nats-server, asked as browsers and programs ask it. Hosts are played by a few lines that
//! publish what a runner publishes: that is the wire, and not a stand-in for a part of ours.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test a broken surrounding is a failure, and the helpers are part of the test"
)]

mod support;

mod generated;

mod accounts;
mod audit;
mod bad_input;
mod behind;
mod clocks;
mod enrolment;
mod events;
mod gates;
mod nats_restart;
mod queue;
mod rebuild;
mod receipts;
mod sessions;
mod side_by_side;
mod socket;
mod web;
