//! The life of `flotilla up`, from the first look at the folder to the last word.

use std::io::ErrorKind;
use std::time::Duration;

use futures::future::select_all;
use nats::client::Options;
use nats::credentials::COORDINATOR_INBOX;

use super::announcement::{Announcement, Pids, setup_is_needed};
use super::arguments::Arguments;
use super::installation::{self, Installation};
use super::lock::Lock;
use super::part::Part;
use super::preparation::{self, Prepared, Wishes};
use super::supervisor::Supervised;
use super::{leftovers, readiness};
use crate::configuration::LISTEN_DEFAULT;
use crate::data::DataFolder;
use crate::failure::{Failure, Kind};
use crate::stop_signals::StopSignals;
use crate::{agents_left, nats_server, terminal};

/// A coordinator that is being started anew may hold a request without ever answering it.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Runs until it is told to stop. To be called on a runtime that runs its tasks on this very thread.
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    let configuration = arguments.configuration()?;
    if arguments.check_config {
        terminal::data(configuration.render_without_secrets()?.trim_end());
        return Ok(());
    }
    let mut stop = StopSignals::listen()?;
    let data = DataFolder::find(arguments.data.as_deref())?;
    preparation::make_data_folder(&data)?;
    let _lock = Lock::take(&data)?;
    remove_ready_file(&arguments)?;
    let nats_server = nats_server::find(arguments.nats_server.as_deref())?;
    leftovers::end(&data).await;

    let asked = arguments.listen.or(configuration.coordinator.listen);
    let listen = asked.unwrap_or(LISTEN_DEFAULT);
    let host = configuration.runner.host.clone();
    let (installation, browsers) =
        Installation::open(&data, host, configuration.nats.listen, listen)?;
    let wishes = Wishes {
        configuration,
        projects: arguments.projects.clone(),
        nats_server,
        browsers,
        log_format: arguments.logging.format,
    };
    let prepared = preparation::prepare(&data, &installation, wishes)?;

    // Kept out here, so that a start that is broken off leaves nothing running.
    let mut started = Vec::new();
    let outcome = tokio::select! {
        outcome = serve(&arguments, &data, &installation, prepared, &mut started) => outcome,
        () = stop.next() => Ok(()),
    };
    tokio::select! {
        () = end(started) => {}
        // The parts are tied to this process: they end with it, only less gently.
        () = stop.next() => return Err(Failure::new(Kind::Failed, "stopped at once; the parts were cut off")),
    }
    outcome?;
    leftovers::note(&data, &[])?;
    remove_ready_file(&arguments)?;
    say_what_stays(&data).await;
    Ok(())
}

/// Starts the parts in order, tells where they are, and keeps what it told true. Ends only when something is wrong.
async fn serve(
    arguments: &Arguments,
    data: &DataFolder,
    installation: &Installation,
    prepared: Prepared,
    started: &mut Vec<Supervised>,
) -> Result<(), Failure> {
    let http = reqwest::Client::builder()
        .timeout(ANSWER_WITHIN)
        .build()
        .map_err(|error| Failure::because("HTTP cannot be spoken", &error))?;
    let url = installation.url();

    let part = start(prepared.nats_server, started);
    let nats = installation::from_here(installation.nats);
    readiness::wait(part, async || readiness::nats_server(nats).await).await?;
    note(data, started)?;

    let part = start(prepared.coordinator, started);
    readiness::wait(part, async || readiness::coordinator(&http, &url).await).await?;
    note(data, started)?;

    if let Some(runner) = prepared.runner {
        let client = nats::Client::connect(Options {
            url: installation.nats_url(),
            credentials: Some(prepared.coordinator_credentials),
            name: "flotilla up".to_owned(),
            inbox_prefix: COORDINATOR_INBOX.to_owned(),
        })
        .await
        .map_err(|error| Failure::because("the NATS connection", &error))?;
        let part = start(runner, started);
        readiness::wait(part, async || {
            readiness::runner(&client, &installation.host).await
        })
        .await?;
        note(data, started)?;
        client.close().await;
    }

    let mut announcement = Announcement {
        setup_token: setup_is_needed(&http, &url)
            .await
            .then_some(prepared.setup_token),
        url,
        nats_url: installation.nats_url(),
        nats_creds: prepared.observer_credentials,
        pids: Pids::default(),
    };
    announcement.print(&data.logs());
    if !installation.nats.ip().is_loopback() {
        tracing::warn!(
            "NATS listens on {} and is not encrypted: whoever can read the network in between reads prompts, code and \
             decisions. Use it inside a private network or a tunnel",
            installation.nats
        );
    }
    // One that has ended meanwhile is started again, and told then.
    if let (Some(pids), Some(path)) = (Pids::of(started), &arguments.ready_file) {
        announcement.pids = pids;
        announcement.write(path)?;
    }
    keep_true(arguments, data, &http, announcement, started).await
}

/// Notes and tells anew what changed. A full disk is no reason to end what runs.
async fn keep_true(
    arguments: &Arguments,
    data: &DataFolder,
    http: &reqwest::Client,
    mut announcement: Announcement,
    started: &[Supervised],
) -> Result<(), Failure> {
    let mut conditions: Vec<_> = started.iter().map(Supervised::condition).collect();
    loop {
        let changes = conditions.iter_mut().map(|it| Box::pin(it.changed()));
        let (changed, ..) = select_all(changes).await;
        changed.map_err(|error| Failure::because("a part is no longer watched", &error))?;

        let mut told = note(data, started);
        if let (Some(pids), Some(path)) = (Pids::of(started), &arguments.ready_file) {
            announcement.pids = pids;
            if !setup_is_needed(http, &announcement.url).await {
                announcement.setup_token = None;
            }
            told = told.and(announcement.write(path));
        }
        if let Err(failure) = told {
            tracing::error!("{}", failure.message());
        }
    }
}

fn start(part: Part, started: &mut Vec<Supervised>) -> &Supervised {
    started.push(Supervised::start(part));
    let Some(part) = started.last() else {
        unreachable!("it was pushed just now")
    };
    part
}

/// The last started is the first to end: a runner still says goodbye through NATS.
async fn end(started: Vec<Supervised>) {
    for part in started.into_iter().rev() {
        part.stop().await;
    }
}

fn note(data: &DataFolder, started: &[Supervised]) -> Result<(), Failure> {
    let processes: Vec<_> = started.iter().filter_map(Supervised::process).collect();
    leftovers::note(data, &processes)
}

async fn say_what_stays(data: &DataFolder) {
    let agents = agents_left::shims(data)
        .await
        .iter()
        .filter(|shim| shim.agent_runs)
        .count();
    let found_again = "found again by the next `flotilla up`; `flotilla down` ends";
    match agents {
        0 => terminal::data("Flotilla is down. No agent was running."),
        1 => terminal::data(format_args!(
            "Flotilla is down. One agent stays and is {found_again} it."
        )),
        _ => terminal::data(format_args!(
            "Flotilla is down. {agents} agents stay and are {found_again} them."
        )),
    }
}

/// One of an earlier run would tell a waiting program about processes that are gone.
fn remove_ready_file(arguments: &Arguments) -> Result<(), Failure> {
    let Some(path) = &arguments.ready_file else {
        return Ok(());
    };
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Failure::because(
            format!("could not remove `{}`", path.display()),
            &error,
        )),
        _ => Ok(()),
    }
}
