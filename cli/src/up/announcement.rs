//! What `up` tells: to people on the terminal, to programs in a file.

use std::path::{Path, PathBuf};

use nats::credentials::private_file;
use serde::Serialize;

use super::supervisor::Supervised;
use crate::failure::{Failure, chain};
use crate::{nats_creds, terminal};

/// All that somebody needs to begin.
#[derive(Debug, Clone, Serialize)]
pub struct Announcement {
    pub url: String,
    /// Makes the first person; none once that has happened.
    pub setup_token: Option<String>,
    pub nats_url: String,
    pub nats_creds: PathBuf,
    pub pids: Pids,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Pids {
    pub nats: i32,
    pub coordinator: i32,
    /// None where no runner is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runner: Option<i32>,
}

impl Pids {
    /// The processes as they are now, if all run; in the order in which they were started.
    pub fn of(started: &[Supervised]) -> Option<Self> {
        let [nats, coordinator, runner @ ..] = started else {
            return None;
        };
        let runner = match runner {
            [] => None,
            [runner, ..] => Some(runner.process()?.pid),
        };
        Some(Self {
            nats: nats.process()?.pid,
            coordinator: coordinator.process()?.pid,
            runner,
        })
    }
}

impl Announcement {
    /// Says on the terminal where everything is.
    pub fn print(&self, logs: &Path) {
        terminal::data(format_args!("Flotilla is up: {}", self.url));
        if let Some(token) = &self.setup_token {
            // Behind the #, so that it is in no server's log.
            let link = format!("{}/setup#token={token}", self.url);
            terminal::data(format_args!(
                "\nFirst time here? Make your account:\n  {link}"
            ));
        }
        let line = nats_creds::line(&self.nats_url, &self.nats_creds);
        terminal::data(format_args!("\nWatch it with any NATS client:\n  {line}"));
        terminal::data(format_args!(
            "\nLogs are in {}. Ctrl-C stops it; agents stay.",
            logs.display()
        ));
    }

    /// Writes it for a program that waits for the file.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let failed = |error: &dyn std::error::Error| {
            Failure::because(format!("could not write `{}`", path.display()), error)
        };
        let text = serde_json::to_string(self).map_err(|error| failed(&error))?;
        private_file::write(path, &text).map_err(|error| failed(&error))
    }
}

/// Whether nobody has made an account yet. When the coordinator does not say, the link is better shown than kept.
pub async fn setup_is_needed(http: &reqwest::Client, url: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Status {
        needed: bool,
    }
    let asked = async {
        let answer = http.get(format!("{url}/api/auth/setup")).send().await?;
        answer.error_for_status()?.json::<Status>().await
    };
    match asked.await {
        Ok(status) => status.needed,
        Err(error) => {
            tracing::debug!(
                error = chain(&error),
                "the coordinator does not say whether anybody has an account"
            );
            true
        }
    }
}
