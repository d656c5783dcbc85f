//! `flotilla nats creds`: the read-only way in for any NATS client, and the way in for a runner on another machine.

use std::path::{Path, PathBuf};

use nats::credentials::{Credentials, private_file};
use nats::ids::HostName;
use serde_json::json;

use crate::command_key;
use crate::configuration::{Configuration, Nats, Runner, Servers};
use crate::data::DataFolder;
use crate::failure::{Failure, Kind};
use crate::terminal;
use crate::up::installation;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The folder that `flotilla up` keeps everything in.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The credentials of the runner of this host instead, for `flotilla runner` on another machine. They are as secret
    /// as a password.
    #[arg(long, value_name = "NAME")]
    host: Option<HostName>,
    /// Write the host's credentials to a file that only you can read, and print what its runner is told.
    #[arg(long, value_name = "FILE", requires = "host")]
    out: Option<PathBuf>,
    /// Tell url and file as JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the line to paste, or gives a host its credentials.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let data = DataFolder::find(arguments.data.as_deref())?;
    let Some(address) = installation::nats_address(&data)? else {
        return Err(Failure::new(
            Kind::Configuration,
            format!("`{}` holds no installation", data.path().display()),
        )
        .hint("start one with `flotilla up`, or say where it is with --data DIR"));
    };
    let url = installation::nats_url(address);
    let failed = |error| Failure::because("the NATS credentials", &error);
    let credentials = Credentials::create(&data.credentials()).map_err(failed)?;
    if let Some(host) = &arguments.host {
        let kept = credentials.runner(host).map_err(failed)?;
        return give_to_host(arguments, &data, host, &url, kept);
    }
    let creds = credentials.observer().map_err(failed)?;
    if arguments.json {
        terminal::data(json!({ "url": url, "creds": creds }));
    } else {
        terminal::data(line(&url, &creds));
    }
    Ok(())
}

/// Hands over what a runner elsewhere signs in with. The same host gets the same key however often it is asked for.
fn give_to_host(
    arguments: &Arguments,
    data: &DataFolder,
    host: &HostName,
    url: &str,
    kept: PathBuf,
) -> Result<(), Failure> {
    let unreadable =
        |error| Failure::because(format!("could not read `{}`", kept.display()), &error);
    let text = std::fs::read_to_string(&kept).map_err(unreadable)?;
    if let Some(path) = &arguments.out {
        private_file::write(path, &text).map_err(|error| {
            Failure::because(format!("could not write `{}`", path.display()), &error)
        })?;
    }
    let file = arguments.out.as_deref().unwrap_or(&kept);
    if arguments.json {
        terminal::data(json!({ "host": host, "url": url, "creds": file }));
    } else if arguments.out.is_some() {
        terminal::data(configuration(data, host, url, file)?.trim_end());
        terminal::word(
            "This is the configuration for `flotilla runner --config FILE`. Its [nats] url must be one that the host reaches.",
        );
    } else {
        terminal::data(text.trim_end());
    }
    Ok(())
}

/// The file with which the runner of a host starts; where its data lies is a wish.
fn configuration(
    data: &DataFolder,
    host: &HostName,
    url: &str,
    creds: &Path,
) -> Result<String, Failure> {
    Configuration {
        nats: Nats {
            url: Some(Servers::one(url.to_owned())),
            credentials: Some(creds.to_owned()),
            ..Nats::default()
        },
        runner: Runner {
            host: Some(host.clone()),
            data: Some(PathBuf::from("/var/lib/flotilla")),
            command_keys: vec![command_key::public(data)?],
            ..Runner::default()
        },
        ..Configuration::default()
    }
    .render()
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
pub fn for_shell(word: &str) -> String {
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
