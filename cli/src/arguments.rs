//! The command line: what can be typed, and who does it.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};

use crate::failure::{EXIT_CODES, Failure};
use crate::logging::Format;
use crate::parts::RunnerVerb;
use crate::{client, down, enrol, logging, nats_creds, parts, tether, up};

/// What of the logs a command shows that a person started: its own news, and everybody's trouble; a connection of its
/// own that comes and goes is neither.
const FOR_A_PERSON: &str = "warn,flotilla=info,nats=error,async_nats::connector=off";
/// What a program's log file gets. How a connection fares is said by us, once, and not by the library at every attempt.
const FOR_A_FILE: &str = "info,async_nats::connector=off";

/// Runs coding agents on many hosts, and lets a team watch, steer and approve them.
#[derive(Debug, Parser)]
#[command(name = "flotilla", version)]
pub struct Invocation {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything on this machine: NATS, coordinator and runner.
    #[command(after_help = EXIT_CODES)]
    Up(up::Arguments),
    /// End what `up` runs, and its agents.
    #[command(after_help = EXIT_CODES)]
    Down(down::Arguments),
    /// Run the part that browsers speak to.
    #[command(after_help = EXIT_CODES)]
    Coordinator(parts::Arguments),
    /// Run the part that runs agents on this machine.
    #[command(after_help = EXIT_CODES)]
    Runner(Box<parts::RunnerArguments>),
    /// The way in for NATS clients.
    #[command(subcommand, after_help = EXIT_CODES)]
    Nats(Nats),
    #[command(flatten)]
    Client(client::Arguments),
    /// Hold one agent's stdio for a runner.
    #[command(hide = true)]
    Shim(parts::ShimArguments),
    /// Behave like an agent, without a model or an account. What it does not know it passes over, `--help` included.
    #[command(hide = true, disable_help_flag = true)]
    Rehearse {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Become another program that ends with this one's parent.
    #[command(hide = true)]
    Tether(tether::Arguments),
}

#[derive(Debug, Subcommand)]
enum Nats {
    /// Print the line that watches the fleet with the `nats` program; or what a runner elsewhere signs in with.
    Creds(nats_creds::Arguments),
}

/// Reads the command line of this process. Help is given, and what cannot be read is told, at once.
pub fn read() -> Invocation {
    Invocation::parse()
}

impl Invocation {
    /// Does what was typed.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let done = |(): ()| ExitCode::SUCCESS;
        match self.command {
            Command::Up(arguments) => {
                logging::start(arguments.logging.format, FOR_A_PERSON);
                // Its children are tied to the thread that starts them: one thread does it all.
                block_on(one_thread()?, up::run(arguments)).map(done)
            }
            Command::Down(arguments) => {
                logging::start(Format::Human, FOR_A_PERSON);
                block_on(one_thread()?, down::run(&arguments)).map(done)
            }
            Command::Coordinator(arguments) => {
                logging::start(arguments.logging.format, FOR_A_FILE);
                block_on(many_threads()?, parts::coordinator(arguments)).map(done)
            }
            Command::Runner(mut arguments) => match (arguments.verb.take(), arguments.into_run()) {
                (Some(RunnerVerb::Enrol(arguments)), _) => {
                    logging::start(Format::Human, FOR_A_PERSON);
                    block_on(many_threads()?, enrol::run(arguments)).map(done)
                }
                (None, Some(arguments)) => {
                    logging::start(arguments.logging.format, FOR_A_FILE);
                    block_on(many_threads()?, parts::runner(arguments)).map(done)
                }
                (None, None) => unreachable!("without a verb the file is required"),
            },
            Command::Nats(Nats::Creds(arguments)) => nats_creds::run(&arguments).map(done),
            Command::Client(arguments) => Ok(client::run(arguments, client::Output::default())),
            Command::Shim(arguments) => {
                logging::start(Format::Human, FOR_A_FILE);
                block_on(one_thread()?, parts::shim(arguments)).map(done)
            }
            Command::Rehearse { arguments } => {
                Ok(block_on(one_thread()?, runner::rehearsal::run(arguments)))
            }
            Command::Tether(arguments) => tether::run(arguments).map(done),
        }
    }
}

/// Runs to the end, and does not wait for a read of stdin that nobody will answer.
fn block_on<F: Future>(runtime: Runtime, future: F) -> F::Output {
    let output = runtime.block_on(future);
    runtime.shutdown_background();
    output
}

fn one_thread() -> Result<Runtime, Failure> {
    build(&mut Builder::new_current_thread())
}

fn many_threads() -> Result<Runtime, Failure> {
    build(&mut Builder::new_multi_thread())
}

fn build(builder: &mut Builder) -> Result<Runtime, Failure> {
    builder
        .enable_all()
        .build()
        .map_err(|error| Failure::because("the runtime could not be started", &error))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Invocation::command().debug_assert();
    }

    #[test]
    fn a_runner_is_run_with_its_file_or_enrolled_without() {
        let parse = |words: &[&str]| {
            let line = ["flotilla", "runner"]
                .into_iter()
                .chain(words.iter().copied());
            Invocation::try_parse_from(line).map(|line| match line.command {
                Command::Runner(arguments) => {
                    (arguments.config.is_some(), arguments.verb.is_some())
                }
                _ => unreachable!("it was asked for"),
            })
        };
        assert_eq!(parse(&["--config", "f"]).unwrap(), (true, false));
        let enrol = ["enrol", "http://127.0.0.1:4242", "flt-enrol.x", "--start"];
        assert!(parse(&enrol).unwrap().1);
        assert!(parse(&[]).unwrap_err().to_string().contains("--config"));
        assert!(parse(&["enrol", "http://127.0.0.1:4242"]).is_err());
    }

    #[test]
    fn a_rehearsal_gets_every_word_after_its_name() {
        let words = ["--session-id", "x", "--help", "--settings", "{}", "-p"];
        let line = ["flotilla", "rehearse"].into_iter().chain(words);
        let Command::Rehearse { arguments } = Invocation::parse_from(line).command else {
            unreachable!("it was asked for")
        };
        assert_eq!(arguments, words);
    }
}
