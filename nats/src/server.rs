//! The configuration of the nats-server that carries a fleet.
//!
//! Owns its text. Knows nothing of where the binary is, nor of how it is started and watched.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::credentials::Trust;

/// Memory for what lives minutes. A stream's limit is set aside whole, so this is above that of the live stream.
const MEMORY_BYTES_MAX: &str = "512MB";
/// A message above it does not travel: the relay puts bodies above 256 KB into the object store before.
const PAYLOAD_BYTES_MAX: &str = "1MB";
/// A client that answers none of three pings is gone. The server's own two minutes are long for us: until then the
/// request of a runner that is no more swallows the commands of the one that came after it.
const PING_EVERY: &str = "3s";
const PINGS_UNANSWERED_MAX: u32 = 2;

/// One nats-server on this machine.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// What it calls itself in logs and to its clients.
    pub name: String,
    /// Where clients connect.
    pub listen: SocketAddr,
    /// Where JetStream keeps its files.
    pub store_folder: PathBuf,
    /// Where it writes which port it listens on, once it does.
    pub ports_folder: PathBuf,
    pub pid_file: PathBuf,
    /// Where it keeps what it was told of accounts.
    pub accounts_folder: PathBuf,
    pub trust: Trust,
}

impl Configuration {
    /// The text of the configuration file.
    #[must_use]
    pub fn render(&self) -> String {
        let Self {
            name,
            listen,
            store_folder,
            ports_folder,
            pid_file,
            accounts_folder,
            trust: fleet,
        } = self;
        format!(
            "# Written anew at every start; what you change here is lost.\n\
             server_name: {name}\n\
             host: {host}\n\
             port: {port}\n\
             ports_file_dir: {ports}\n\
             pid_file: {pid}\n\
             max_payload: {PAYLOAD_BYTES_MAX}\n\
             ping_interval: {PING_EVERY}\n\
             ping_max: {PINGS_UNANSWERED_MAX}\n\
             lame_duck_grace_period: 500ms\n\
             lame_duck_duration: 30s\n\
             {jetstream}{trust}",
            name = quoted(name),
            host = quoted(&listen.ip().to_string()),
            port = listen.port(),
            ports = quoted_path(ports_folder),
            pid = quoted_path(pid_file),
            jetstream = jetstream(store_folder),
            trust = trust_kept_in(accounts_folder, fleet),
        )
    }
}

/// The part of the configuration that says how messages are kept. `sync_interval: always` means that an acknowledged
/// message has reached the disk, which is what the laws of the fleet rest on.
#[must_use]
pub fn jetstream(store_folder: &Path) -> String {
    format!(
        "jetstream {{\n  \
           store_dir: {store}\n  \
           max_mem: {MEMORY_BYTES_MAX}\n  \
           sync_interval: always\n\
         }}\n",
        store = quoted_path(store_folder),
    )
}

/// The part of the configuration that says whom the server believes, for as long as it runs.
#[must_use]
pub fn trust(trust: &Trust) -> String {
    believed(trust, "MEMORY")
}

/// The same for a server that can be told otherwise while it runs, and keeps what it was told: of two tokens of an account
/// the newer holds, also when the older one stands here.
#[must_use]
pub fn trust_kept_in(folder: &Path, trust: &Trust) -> String {
    let folder = quoted_path(folder);
    believed(
        trust,
        &format!("{{ type: full, dir: {folder}, allow_delete: false, interval: \"2m\" }}"),
    )
}

fn believed(trust: &Trust, resolver: &str) -> String {
    let mut text = format!(
        "operator: {}\nsystem_account: {}\nresolver: {resolver}\nresolver_preload {{\n",
        trust.operator_jwt, trust.system_account
    );
    for (account, jwt) in &trust.accounts {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {account}: {jwt}");
    }
    text.push_str("}\n");
    text
}

/// A path that is not UTF-8 cannot be written in this language; its nearest readable form then fails to open, which
/// the server says with the path in its sentence.
fn quoted_path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

/// A string of the server's configuration language.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::nats_server::NatsServer;

    #[tokio::test]
    async fn a_path_with_spaces_and_quotes_is_read_as_it_is() {
        let place = tempfile::tempdir().unwrap();
        for name in [
            "two words",
            "a \"quoted\" one",
            "back\\slash \\t",
            "größe",
            "$HOME # {x}",
        ] {
            let log = place.path().join(name);
            let server = NatsServer::start_with(&format!("log_file: {}", quoted_path(&log))).await;
            assert!(log.is_file(), "{name}");
            drop(server);
        }
    }
}
