//! `flotilla down`: ends what `flotilla up` runs, and the agents that would stay.

use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Signal, kill_process};
use tokio::time::{Instant, sleep};

use crate::agents_left;
use crate::data::DataFolder;
use crate::failure::{Failure, Kind};
use crate::terminal;
use crate::up::leftovers;
use crate::up::lock::Lock;

/// `up` gives each of its three parts 20 s to finish.
const STOP_WITHIN: Duration = Duration::from_secs(70);
const LOOK_EVERY: Duration = Duration::from_millis(25);

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The folder that `flotilla up` keeps everything in.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Ends `up` first, so that nobody starts again what is ended next.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let data = DataFolder::find(arguments.data.as_deref())?;
    let was_up = stop_up(&data).await?;
    let shims = if data.path().is_dir() {
        // Between here and the end nobody may start a new `up` on what is being ended.
        let _lock = Lock::take(&data)?;
        leftovers::end(&data).await;
        let shims = agents_left::shims(&data).await;
        agents_left::end(&shims).await;
        shims
    } else {
        Vec::new()
    };
    if !was_up && shims.is_empty() {
        terminal::data(format_args!(
            "Nothing was running on `{}`.",
            data.path().display()
        ));
        return Ok(());
    }
    match shims.iter().filter(|shim| shim.agent_runs).count() {
        0 => terminal::data("Flotilla is down."),
        1 => terminal::data("Flotilla is down. One agent was ended."),
        agents => terminal::data(format_args!(
            "Flotilla is down. {agents} agents were ended."
        )),
    }
    Ok(())
}

/// Asks the running `up` to end and waits until it has. Tells whether there was one.
async fn stop_up(data: &DataFolder) -> Result<bool, Failure> {
    let Some(up) = Lock::holder(data)? else {
        return Ok(false);
    };
    kill_process(up, Signal::TERM).map_err(|error| {
        Failure::because(
            format!("could not ask process {} to end", up.as_raw_pid()),
            &error,
        )
    })?;
    let deadline = Instant::now() + STOP_WITHIN;
    while Lock::holder(data)? == Some(up) {
        if Instant::now() >= deadline {
            return Err(Failure::new(
                Kind::Failed,
                format!("`flotilla up` (process {}) does not end", up.as_raw_pid()),
            )
            .hint("look into its logs; `kill -9` ends it, and its parts with it"));
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(true)
}
