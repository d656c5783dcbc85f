//! Waiting for long with the real Claude Code against a scripted model on loopback. Contracts pinned here: an agent
//! that has nothing to do is stopped and its conversation goes on with the next one; one that waits at a gate is
//! stopped only where the very same call is asked for again, runs once or never, and nobody has said no but the person
//! who did; work in the background keeps its agent; a usage limit is shown and gone on from as its person wants.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod station;

mod gates;
mod idle;

mod limits;
