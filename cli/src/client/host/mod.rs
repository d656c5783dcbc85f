//! The machines of the fleet, whether they take new sessions, how another one joins, and how one leaves.

mod drain;
mod enrol;
mod ls;
mod membership;

use super::arguments::HostVerb;
use super::exit::Error;
use super::output::Output;
use super::server::Server;

pub(super) async fn run(verb: HostVerb, server: &Server, output: &mut Output) -> Result<(), Error> {
    match verb {
        HostVerb::Ls => ls::ls(server, output).await,
        HostVerb::Drain { host } => drain::drain(&host, server, output).await,
        HostVerb::Resume { host } => drain::resume(&host, server, output).await,
        HostVerb::Revoke { host } => membership::revoke(&host, server, output).await,
        HostVerb::Remove { host } => membership::remove(&host, server, output).await,
        HostVerb::Enrol { host, labels } => enrol::enrol(&host, labels, server, output).await,
    }
}
