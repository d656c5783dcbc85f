//! The door of the process: flags, environment and streams in, an exit code out.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use rustix::process::{Signal, getpid, kill_process};
use tokio::signal::unix::{SignalKind, signal};

use super::arguments::{About, Arguments, Opening};
use super::input;
use super::life::{Exchange, Life, Stop};
use super::line;
use super::memory::{self, Memory};
use super::output::Output;
use super::stdout::Stdout;

/// Where memories lie in the home directory.
const STATE: &str = ".flotilla-rehearsal";

/// Says `session_state_changed` when this is `1`, as the real agent does.
const TELLS_STATES: &str = "CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS";

/// Runs the rehearsal on this process's stdin and stdout until stdin ends. `arguments` are without the
/// program's name; those it does not know are passed over.
pub async fn run(arguments: Vec<String>) -> ExitCode {
    let arguments = Arguments::read(&arguments);
    if let Some(about) = arguments.about {
        let said = std::io::stdout().write_all(words(about).as_bytes());
        return said.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    let life = match prepare(arguments).await {
        Ok(life) => life,
        Err(error) => return fail(&error),
    };
    match life.live().await {
        Stop::Terminated => ExitCode::from(143),
        Stop::Crash => crash().await,
        Stop::Half => ExitCode::FAILURE,
        Stop::Failed(error) => fail(&error),
        Stop::Ended | Stop::Aborted(_) | Stop::Interrupted { .. } => ExitCode::SUCCESS,
    }
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("could not find the working directory")]
    Folder(#[source] std::io::Error),
    #[error("neither --state nor HOME says where memories lie")]
    NoState,
    #[error(transparent)]
    Memory(#[from] memory::Error),
    #[error("could not listen for signals")]
    Signals(#[source] std::io::Error),
    #[error("could not listen on stdin")]
    Stdin(#[source] std::io::Error),
    #[error("could not write to stdout")]
    Stdout(#[source] std::io::Error),
}

async fn prepare(arguments: Arguments) -> Result<Life<Stdout>, Error> {
    let folder = std::env::current_dir().map_err(Error::Folder)?;
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(STATE));
    let state = arguments.state.or(home).ok_or(Error::NoState)?;
    let resumed = matches!(arguments.opening, Opening::Resumed(_));
    let (memory, conversation) = match Memory::open(&state, arguments.opening) {
        Ok(opened) => opened,
        Err(memory::Error::Unknown(id)) => {
            let line = line::unknown_conversation(&id);
            Output::new(Stdout, id.clone())
                .line(line)
                .await
                .map_err(Error::Stdout)?;
            return Err(memory::Error::Unknown(id).into());
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Life {
        heard: input::listen().map_err(Error::Stdin)?,
        terminate: signal(SignalKind::terminate()).map_err(Error::Signals)?,
        output: Output::new(Stdout, conversation),
        memory,
        folder,
        mode: "default".to_owned(),
        tells_states: std::env::var(TELLS_STATES).is_ok_and(|value| value == "1"),
        resumed,
        exchange: Exchange::default(),
        left: Vec::new(),
    })
}

const fn words(about: About) -> &'static str {
    match about {
        About::Version => concat!(env!("CARGO_PKG_VERSION"), " (Flotilla rehearsal)\n"),
        About::Help => concat!(
            "A rehearsal: it behaves like a coding agent and is no model. It needs no account and spends no tokens.\n\n",
            "It reads messages in Claude Code's stream-json on stdin, as Flotilla sends them, and answers on stdout.\n",
            "A prompt is a script, one step a line; any other prompt gets a short tour.\n\n",
            "  say TEXT               stream WORDS MS        read PATH\n",
            "  write PATH TEXT        run COMMAND            ask QUESTION | A | B\n",
            "  plan TEXT              sleep MS               flood BYTES\n",
            "  crash                  half                   longline BYTES\n",
            "  stamps COUNT MS        limit SECONDS\n\n",
            "In TEXT, \\n is a new line and {answer} what was last answered to a question.\n\n",
            "Options: --session-id ID, --resume ID, --state DIR (else ~/.flotilla-rehearsal); others are passed over.\n",
        ),
    }
}

/// One line on stderr with the whole chain of causes.
fn fail(error: &dyn std::error::Error) -> ExitCode {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    // Nobody left to tell if this fails as well.
    let _ = writeln!(std::io::stderr(), "{words}");
    ExitCode::FAILURE
}

/// As by `kill -9`: nothing is flushed, nobody is told.
async fn crash() -> ExitCode {
    match kill_process(getpid(), Signal::KILL) {
        Ok(()) => std::future::pending().await,
        Err(_) => ExitCode::FAILURE,
    }
}
