//! A coordinator on a real nats-server, asked as browsers and programs ask it. Hosts are played by a few lines that
//! publish what a runner publishes: that is the wire, and not a stand-in for a part of ours.

mod support;

mod generated;

mod accounts;
mod bad_input;
mod events;
mod gates;
mod rebuild;
mod sessions;
mod web;
