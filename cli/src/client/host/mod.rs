//! The machines of the fleet, and how another one joins.

mod enrol;
mod ls;

use super::arguments::HostVerb;
use super::exit::Error;
use super::output::Output;
use super::server::Server;

pub(super) async fn run(verb: HostVerb, server: &Server, output: &mut Output) -> Result<(), Error> {
    match verb {
        HostVerb::Ls => ls::ls(server, output).await,
        HostVerb::Enrol { host, labels } => enrol::enrol(&host, labels, server, output).await,
    }
}
