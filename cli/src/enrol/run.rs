//! From the token to a host that can start.

use std::path::Path;

use nats::enrolment::EnrolmentToken;

use super::arguments::Arguments;
use super::ask;
use super::folder::Folder;
use crate::data::DataFolder;
use crate::failure::Failure;
use crate::up::projects_or_demo;
use crate::{parts, terminal};

/// Enrols this machine; with `--start` it is a host when this returns only because it was stopped.
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    // What needs nobody else comes first, so that a slip costs no token.
    let token: EnrolmentToken = arguments.token.parse().map_err(|error| {
        Failure::because("this cannot be used", &error)
            .hint("copy the whole command again; the token is its last long word")
    })?;
    let data = DataFolder::find(arguments.data.as_deref())?;
    let folder = Folder::open(data.clone())?;
    let projects = projects_or_demo(&data, arguments.projects)?;
    let key = folder.key()?;

    let enrolled = ask::coordinator(&arguments.url, &token, key.public()).await?;
    let file = folder.keep(&key, &enrolled, &arguments.url, projects)?;
    let host = &enrolled.host;
    terminal::data(format_args!("This machine is the host {host} now."));
    if arguments.start {
        terminal::word(format_args!(
            "Its runner starts. Ctrl-C stops it; later it starts with:\n  {}",
            start_line(&file)
        ));
        return parts::runner_of(&file).await;
    }
    terminal::data(format_args!(
        "Start its runner with:\n  {}",
        start_line(&file)
    ));
    Ok(())
}

fn start_line(file: &Path) -> String {
    format!(
        "flotilla runner --config {}",
        crate::nats_creds::for_shell(&file.to_string_lossy())
    )
}
