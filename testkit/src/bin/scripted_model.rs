//! The scripted model as a program: for browser tests, and for trying things by hand.
//!
//! `scripted-model [--port N] [--ready-file PATH]` prints its base URL, writes it to the ready file
//! if one is named, and serves until it is ended.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use testkit::model_endpoint::ModelEndpoint;

const USAGE: &str = "usage: scripted-model [--port N] [--ready-file PATH]";

#[derive(Debug, Default, PartialEq)]
struct Options {
    /// 0 takes a free one.
    port: u16,
    ready_file: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = parse(env::args().skip(1))?;
    let endpoint = ModelEndpoint::start_on(options.port)
        .await
        .with_context(|| format!("could not listen on port {} of loopback", options.port))?;
    let url = endpoint.url();
    writeln!(io::stdout(), "{url}").context("could not print the URL")?;
    if let Some(file) = &options.ready_file {
        publish(file, &url).with_context(|| format!("could not write {}", file.display()))?;
    }
    endpoint.serve().await.context("the endpoint ended")
}

fn parse(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .with_context(|| format!("{argument} wants a value\n{USAGE}"))
        };
        match argument.as_str() {
            "--port" => {
                options.port = value()?
                    .parse()
                    .with_context(|| format!("--port wants a number\n{USAGE}"))?
            }
            "--ready-file" => options.ready_file = Some(value()?.into()),
            _ => bail!("{argument} is not known\n{USAGE}"),
        }
    }
    Ok(options)
}

/// By a rename, so that a reader sees the whole line or no file.
fn publish(file: &Path, url: &str) -> io::Result<()> {
    let mut draft = file.to_owned().into_os_string();
    draft.push(".draft");
    fs::write(&draft, format!("{url}\n"))?;
    fs::rename(draft, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> anyhow::Result<Options> {
        parse(arguments.iter().map(|&argument| argument.to_owned()))
    }

    #[test]
    fn options_are_read_and_strange_ones_refused() {
        let expected = Options {
            port: 4000,
            ready_file: Some("/tmp/ready".into()),
        };
        assert_eq!(
            parsed(&["--port", "4000", "--ready-file", "/tmp/ready"]).unwrap(),
            expected
        );
        assert_eq!(parsed(&[]).unwrap(), Options::default());
        for wrong in [&["--port"][..], &["--port", "many"], &["--nope"]] {
            assert!(
                format!("{:#}", parsed(wrong).unwrap_err()).contains("usage:"),
                "{wrong:?}"
            );
        }
    }
}
