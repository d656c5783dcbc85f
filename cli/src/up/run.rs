//! The life of `flotilla up`, from the first look at the folder to the last word.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;

use futures::future::select_all;
use nats::client::Options;
use nats::credentials::COORDINATOR_INBOX;

use super::announcement::{Announcement, Pids, setup_is_needed};
use super::installation::Installation;
use super::lock::Lock;
use super::part::Part;
use super::preparation::{self, Prepared, Wishes};
use super::supervisor::Supervised;
use super::{leftovers, readiness};
use crate::agents_left;
use crate::configuration::{Configuration, LISTEN_DEFAULT, Nats};
use crate::data::DataFolder;
use crate::failure::{Failure, Kind};
use crate::stop_signals::StopSignals;
use crate::{logging, nats_server, terminal};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The folder to keep everything in; `$XDG_DATA_HOME/flotilla` when not given.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where browsers find it; 127.0.0.1:4242 when not given. Port 0 takes a free one and keeps it.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// A git repository that sessions may work on. May be given several times; a small demo is made when there is none.
    #[arg(long = "project", value_name = "PATH")]
    projects: Vec<PathBuf>,
    /// A configuration file: [coordinator] listen and public_url, [runner] host, slots, projects and labels, [agents.<name>].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Read the configuration, say what is in it, and start nothing.
    #[arg(long)]
    check_config: bool,
    /// Written once all is up, for programs: url, setup token, NATS and process ids as JSON.
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
    /// The nats-server to start; found by itself when not given.
    #[arg(long, value_name = "PATH", env = "FLOTILLA_NATS_SERVER")]
    nats_server: Option<PathBuf>,
    #[command(flatten)]
    pub logging: logging::Arguments,
}

/// Runs until it is told to stop. To be called on a runtime that runs its tasks on this very thread.
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    let configuration = read_configuration(&arguments)?;
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
    let installation = Installation::open(&data, configuration.runner.host.clone(), listen)?;
    let wishes = Wishes {
        configuration,
        projects: arguments.projects.clone(),
        nats_server,
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
    leftovers::note(&data, &[])?;
    remove_ready_file(&arguments)?;
    outcome?;
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
    let http = reqwest::Client::new();
    let url = installation.url();

    let part = start(prepared.nats_server, started);
    readiness::wait(part, async || {
        readiness::nats_server(installation.nats_port).await
    })
    .await?;
    note(data, started)?;

    let part = start(prepared.coordinator, started);
    readiness::wait(part, async || readiness::coordinator(&http, &url).await).await?;
    note(data, started)?;

    let client = nats::Client::connect(Options {
        url: installation.nats_url(),
        credentials: Some(prepared.coordinator_credentials),
        name: "flotilla up".to_owned(),
        inbox_prefix: COORDINATOR_INBOX.to_owned(),
    })
    .await
    .map_err(|error| Failure::because("the NATS connection", &error))?;
    let part = start(prepared.runner, started);
    readiness::wait(part, async || {
        readiness::runner(&client, &installation.host).await
    })
    .await?;
    note(data, started)?;
    client.close().await;

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
    let mut conditions: Vec<_> = started.iter().map(Supervised::condition).collect();
    loop {
        note(data, started)?;
        if let Some(pids) = Pids::of(started)
            && let Some(path) = &arguments.ready_file
        {
            announcement.pids = pids;
            if announcement.setup_token.is_some()
                && !setup_is_needed(&http, &announcement.url).await
            {
                announcement.setup_token = None;
            }
            announcement.write(path)?;
        }
        let changes = conditions.iter_mut().map(|it| Box::pin(it.changed()));
        let (changed, ..) = select_all(changes).await;
        changed.map_err(|error| Failure::because("a part is no longer watched", &error))?;
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

fn read_configuration(arguments: &Arguments) -> Result<Configuration, Failure> {
    let Some(path) = &arguments.config else {
        return Ok(Configuration::default());
    };
    let configuration = Configuration::read(path)?;
    // What `up` decides itself must not look as if it could be set.
    let Configuration {
        nats,
        coordinator,
        runner,
        agents: _,
    } = &configuration;
    let idle = [
        ("[nats]", *nats != Nats::default()),
        ("[coordinator] data", coordinator.data.is_some()),
        (
            "[coordinator] setup_token",
            coordinator.setup_token.is_some(),
        ),
        ("[runner] data", runner.data.is_some()),
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
