//! `gate …`: what waits for a human, exactly, and how it is decided.

mod answers;
mod decide;
mod exact;
mod ls;
mod show;

use super::arguments::GateVerb;
use super::exit::Error;
use super::output::Output;
use super::server::Server;

pub(super) async fn run(verb: GateVerb, server: &Server, output: &mut Output) -> Result<(), Error> {
    match verb {
        GateVerb::Ls { session, all } => ls::run(session.as_deref(), all, server, output).await,
        GateVerb::Show { gate } => show::run(&gate, server, output).await,
        GateVerb::Allow {
            gate,
            input,
            input_hash,
        } => decide::allow(&gate, input.as_deref(), input_hash, server, output).await,
        GateVerb::Deny { gate, reason } => decide::deny(&gate, reason, server, output).await,
        GateVerb::Answer { gate, answers } => decide::answer(&gate, &answers, server, output).await,
    }
}
