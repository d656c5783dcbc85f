//! The programs that `up` starts, and that a service manager starts where there is no `up`: each reads its file, runs
//! until it is asked to stop, and stops at once when it is asked twice.

use std::error::Error;
use std::path::{Path, PathBuf};

use ::coordinator::Listen;
use tokio_util::sync::CancellationToken;

use crate::configuration::Configuration;
use crate::failure::{EXIT_CODES, Failure, Kind};
use crate::stop_signals::StopSignals;
use crate::{enrol, listener, logging, terminal};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Read the configuration, say what is in it, and start nothing.
    #[arg(long)]
    check_config: bool,
    #[command(flatten)]
    pub logging: logging::Arguments,
}

/// A runner is run, or made ready to be.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct RunnerArguments {
    #[command(subcommand)]
    pub verb: Option<RunnerVerb>,
    /// The configuration file.
    #[arg(long, value_name = "FILE", required = true)]
    pub config: Option<PathBuf>,
    /// Read the configuration, say what is in it, and start nothing.
    #[arg(long)]
    check_config: bool,
    #[command(flatten)]
    logging: logging::Arguments,
}

impl RunnerArguments {
    /// What to run; none when there is a verb instead.
    pub fn into_run(self) -> Option<Arguments> {
        let Self {
            verb: _,
            config,
            check_config,
            logging,
        } = self;
        config.map(|config| Arguments {
            config,
            check_config,
            logging,
        })
    }
}

#[derive(Debug, clap::Subcommand)]
pub enum RunnerVerb {
    /// Make this machine a host, with the token that “Add a host” or `flotilla host enrol` gave.
    #[command(after_help = EXIT_CODES)]
    Enrol(enrol::Arguments),
}

#[derive(Debug, clap::Args)]
pub struct ShimArguments {
    /// The file that says what to start; it is removed once read.
    #[arg(long)]
    spec: PathBuf,
}

/// Runs a coordinator.
pub async fn coordinator(arguments: Arguments) -> Result<(), Failure> {
    let configuration = Configuration::read(&arguments.config)?;
    let mut part = configuration.for_coordinator(&arguments.config)?;
    if arguments.check_config {
        return show(&configuration);
    }
    if let Some(listener) = listener::handed_over()? {
        part.listen = Listen::On(listener);
    }
    until_stopped("the coordinator", |token| ::coordinator::run(part, token)).await
}

/// Runs the runner of this host.
pub async fn runner(arguments: Arguments) -> Result<(), Failure> {
    let configuration = Configuration::read(&arguments.config)?;
    let part = configuration.for_runner(&arguments.config)?;
    if arguments.check_config {
        return show(&configuration);
    }
    until_stopped("the runner", |token| ::runner::run(part, token)).await
}

/// The same with the file at `path` and no other wish.
pub async fn runner_of(path: &Path) -> Result<(), Failure> {
    let part = Configuration::read(path)?.for_runner(path)?;
    until_stopped("the runner", |token| ::runner::run(part, token)).await
}

/// Holds one agent's stdio until its runner, or a signal, ends it.
pub async fn shim(arguments: ShimArguments) -> Result<(), Failure> {
    let options = runner::shim::ShimOptions {
        spec: arguments.spec,
    };
    runner::shim::run(options)
        .await
        .map_err(|error| Failure::because("the shim", &error))
}

fn show(configuration: &Configuration) -> Result<(), Failure> {
    terminal::data(configuration.render_without_secrets()?.trim_end());
    Ok(())
}

async fn until_stopped<E, F>(
    what: &str,
    run: impl FnOnce(CancellationToken) -> F,
) -> Result<(), Failure>
where
    E: Error + 'static,
    F: Future<Output = Result<(), E>>,
{
    a_panic_ends_the_process();
    let mut stop = StopSignals::listen()?;
    let token = CancellationToken::new();
    let mut running = Box::pin(run(token.clone()));
    let ended = tokio::select! {
        ended = &mut running => Some(ended),
        () = stop.next() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            token.cancel();
            tokio::select! {
                ended = running => ended,
                () = stop.next() => {
                    return Err(Failure::new(Kind::Failed, format!("{what} was stopped at once")));
                }
            }
        }
    };
    ended.map_err(|error| Failure::because(what, &error))
}

/// A task that panics would be missing while everything else looks alive. Ended as a whole, the part is started again
/// and goes on from what is recorded.
fn a_panic_ends_the_process() {
    let say = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        say(panic);
        tracing::error!(%panic, "a part of this process panicked; it ends, to be started again");
        std::process::abort();
    }));
}
