//! What each part is told of a configuration, with the defaults filled in.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nats::ids::HostName;

use super::file::Configuration;
use super::minutes::Minutes;
use crate::failure::{Failure, Kind};

/// Long enough to think about an answer and to fetch a coffee; an agent holds some 200 MB meanwhile.
const SLEEP_AFTER_DEFAULT: Duration = Duration::from_secs(30 * 60);
/// Somebody who means to decide has had the time; whoever has not seen it should.
const REMIND_AFTER_DEFAULT: Duration = Duration::from_secs(15 * 60);
/// Below the coordinator's folder: a file that may be deleted at any time.
const PROJECTION: &str = "projection.db";
/// Beside it, and not to be deleted: whoever pinned it would not know the next one.
const AUDIT_KEY: &str = "audit.nk";
/// The same, for whoever carries out commands.
const COMMAND_KEY: &str = "command.nk";
const LISTEN_PORT_DEFAULT: u16 = 4242;

/// Where browsers find a coordinator when nobody says otherwise.
pub const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(
    std::net::IpAddr::V4(Ipv4Addr::LOCALHOST),
    LISTEN_PORT_DEFAULT,
);

impl Configuration {
    /// What a coordinator needs, or all that is missing in the file at `path`.
    pub fn for_coordinator(&self, path: &Path) -> Result<::coordinator::Configuration, Failure> {
        let mut missing = Vec::new();
        let nats_url = required(&self.nats.url, "[nats] url", &mut missing);
        let data = required(&self.coordinator.data, "[coordinator] data", &mut missing);
        let (Some(nats_url), Some(data)) = (nats_url, data) else {
            return Err(incomplete(path, &missing));
        };
        Ok(::coordinator::Configuration {
            listen: self.coordinator.listen.unwrap_or(LISTEN_DEFAULT).into(),
            audit_key: data.join(AUDIT_KEY),
            command_key: self
                .coordinator
                .command_key
                .clone()
                .unwrap_or_else(|| data.join(COMMAND_KEY)),
            command_keys: self.coordinator.command_keys.clone(),
            authority: self.coordinator.authority.clone(),
            data: data.join(PROJECTION),
            nats_public_urls: self
                .nats
                .public_url
                .as_ref()
                .unwrap_or(&nats_url)
                .addresses(),
            nats_url: nats_url.to_string(),
            nats_credentials: self.nats.credentials.clone(),
            nats_replicas: self.nats.replicas.unwrap_or_default().into(),
            setup_token: self.coordinator.setup_token.clone(),
            public_url: self.coordinator.public_url.clone(),
            ready: None,
        })
    }

    /// What a runner needs, or all that is missing in the file at `path`.
    pub fn for_runner(&self, path: &Path) -> Result<::runner::Configuration, Failure> {
        if self.runner.enabled == Some(false) {
            return Err(Failure::new(
                Kind::Configuration,
                format!("`{}` says that no runner is wanted", path.display()),
            )
            .hint("take `enabled = false` out of [runner]"));
        }
        let mut missing = Vec::new();
        let nats_url = required(&self.nats.url, "[nats] url", &mut missing);
        let data = required(&self.runner.data, "[runner] data", &mut missing);
        if self.runner.command_keys.is_empty() {
            missing.push("[runner] command_keys");
        }
        let (Some(nats_url), Some(data), []) = (nats_url, data, &missing[..]) else {
            return Err(incomplete(path, &missing));
        };
        Ok(::runner::Configuration {
            host: self
                .runner
                .host
                .clone()
                .unwrap_or_else(name_of_this_machine),
            data,
            nats_url: nats_url.to_string(),
            nats_credentials: self.nats.credentials.clone(),
            coordinator: self.runner.coordinator.clone(),
            commanders: self.runner.command_keys.iter().cloned().collect(),
            projects: self.runner.projects.clone(),
            agents: self.agents.clone(),
            slots: self
                .runner
                .slots
                .map_or_else(runner::default_slots, u32::from),
            sleep_after: self
                .runner
                .sleep_after_minutes
                .map_or(Some(SLEEP_AFTER_DEFAULT), Minutes::unless_zero),
            remind_after: self
                .runner
                .remind_after_minutes
                .map_or(Some(REMIND_AFTER_DEFAULT), Minutes::unless_zero),
            resume_after_limit: self.runner.resume_after_limit.unwrap_or(true),
            labels: self.runner.labels.clone(),
            flotilla: this_program()
                .map_err(|error| Failure::because("this program does not find itself", &error))?,
            environment: environment(),
        })
    }
}

/// The nearest host name to what this machine calls itself.
pub fn name_of_this_machine() -> HostName {
    HostName::nearest(&rustix::system::uname().nodename().to_string_lossy())
}

/// Where this very program is. One that was replaced while it ran, as an upgrade does, is its successor: whatever is
/// started from now on is the new one.
pub fn this_program() -> std::io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    let replaced = path
        .to_str()
        .and_then(|path| path.strip_suffix(" (deleted)"));
    Ok(replaced.map_or_else(|| path.clone(), PathBuf::from))
}

fn required<T: Clone>(
    value: &Option<T>,
    name: &'static str,
    missing: &mut Vec<&'static str>,
) -> Option<T> {
    if value.is_none() {
        missing.push(name);
    }
    value.clone()
}

fn incomplete(path: &Path, missing: &[&str]) -> Failure {
    Failure::new(
        Kind::Configuration,
        format!("`{}` does not say {}", path.display(), missing.join(", ")),
    )
}

/// What is not text cannot be handed on as text, and no variable that an agent needs is not.
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
