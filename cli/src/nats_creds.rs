//! `flotilla nats creds`: the read-only way in for any NATS client.

use std::path::{Path, PathBuf};

use nats::credentials::Credentials;
use serde_json::json;

use crate::data::DataFolder;
use crate::failure::{Failure, Kind};
use crate::terminal;
use crate::up::installation;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The folder that `flotilla up` keeps everything in.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Tell url and file as JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the line to paste.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let data = DataFolder::find(arguments.data.as_deref())?;
    let Some(port) = installation::nats_port(&data)? else {
        return Err(Failure::new(
            Kind::Configuration,
            format!("`{}` holds no installation", data.path().display()),
        )
        .hint("start one with `flotilla up`, or say where it is with --data DIR"));
    };
    let url = format!("nats://127.0.0.1:{port}");
    let creds = Credentials::create(&data.credentials())
        .and_then(|credentials| credentials.observer())
        .map_err(|error| Failure::because("the NATS credentials", &error))?;
    if arguments.json {
        terminal::data(json!({ "url": url, "creds": creds }));
    } else {
        terminal::data(line(&url, &creds));
    }
    Ok(())
}

/// The line to paste into a shell.
pub fn line(url: &str, creds: &Path) -> String {
    format!(
        "nats sub '{}' --server {url} --creds {}",
        nats::subject::EVERYTHING,
        for_shell(&creds.to_string_lossy())
    )
}

/// A word as a shell reads it back.
fn for_shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_a_space_and_a_quote_survives_the_shell() {
        for path in ["/home/me/it's here/observer.creds", "/plain/observer.creds"] {
            let line = line("nats://127.0.0.1:4222", Path::new(path));
            let output = std::process::Command::new("sh")
                .args(["-c", &format!("set -- {line}; printf '%s\n' \"$7\"")])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), path);
        }
    }
}
