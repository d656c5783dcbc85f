//! What `flotilla up` can be told.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::configuration::Configuration;
use crate::failure::{Failure, Kind};
use crate::logging;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The folder to keep everything in; `$XDG_DATA_HOME/flotilla` when not given.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Where browsers find it; 127.0.0.1:4242 when not given. Port 0 takes a free one and keeps it.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(super) listen: Option<SocketAddr>,
    /// A git repository that sessions may work on. May be given several times; a small demo is made when there is none.
    #[arg(long = "project", value_name = "PATH")]
    pub(super) projects: Vec<PathBuf>,
    /// A configuration file: [coordinator] listen and public_url, [nats] listen and public_url, [runner] enabled, host, slots, projects and labels, [agents.<name>].
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Read the configuration, say what is in it, and start nothing.
    #[arg(long)]
    pub(super) check_config: bool,
    /// Written once all is up, for programs: url, setup token, NATS and process ids as JSON.
    #[arg(long, value_name = "PATH")]
    pub(super) ready_file: Option<PathBuf>,
    /// The nats-server to start; found by itself when not given.
    #[arg(long, value_name = "PATH", env = "FLOTILLA_NATS_SERVER")]
    pub(super) nats_server: Option<PathBuf>,
    #[command(flatten)]
    pub logging: logging::Arguments,
}

impl Arguments {
    /// The configuration file, if there is one, and nothing in it that would not be heeded.
    pub(super) fn configuration(&self) -> Result<Configuration, Failure> {
        let Some(path) = &self.config else {
            return Ok(Configuration::default());
        };
        let configuration = Configuration::read(path)?;
        if configuration.runner.enabled == Some(false) && !self.projects.is_empty() {
            return Err(Failure::new(
                Kind::Configuration,
                format!(
                    "`{}` says that no runner is wanted here, so there is nobody for --project",
                    path.display()
                ),
            )
            .hint("name projects where the runner runs, with `projects` in [runner]"));
        }
        // What `up` decides itself must not look as if it could be set.
        let Configuration {
            nats,
            coordinator,
            runner,
            agents: _,
        } = &configuration;
        let idle = [
            ("[nats] url", nats.url.is_some()),
            ("[nats] credentials", nats.credentials.is_some()),
            ("[nats] replicas", nats.replicas.is_some()),
            ("[coordinator] data", coordinator.data.is_some()),
            (
                "[coordinator] command_key",
                coordinator.command_key.is_some(),
            ),
            ("[coordinator] authority", coordinator.authority.is_some()),
            (
                "[coordinator] command_keys",
                !coordinator.command_keys.is_empty(),
            ),
            (
                "[coordinator] setup_token",
                coordinator.setup_token.is_some(),
            ),
            ("[runner] data", runner.data.is_some()),
            ("[runner] coordinator", runner.coordinator.is_some()),
            ("[runner] command_keys", !runner.command_keys.is_empty()),
        ];
        let idle: Vec<&str> = idle
            .into_iter()
            .filter_map(|(name, set)| set.then_some(name))
            .collect();
        if idle.is_empty() {
            return Ok(configuration);
        }
        Err(Failure::new(
        Kind::Configuration,
        format!("`{}` sets {}, which `flotilla up` decides itself", path.display(), idle.join(", ")),
    )
    .hint("those are for `flotilla coordinator` and `flotilla runner`; say where to keep things with --data DIR"))
    }
}
