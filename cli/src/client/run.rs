//! From the command line to an exit code.

use std::process::ExitCode;

use super::arguments::Arguments;
use super::credentials::Environment;
use super::exit::Error;
use super::output::Output;
use super::server::Server;
use super::{audit, gate, host, login, session, verify};

/// Does what the arguments say. Everything that goes wrong is one sentence on stderr, a hint, and a code.
pub fn run(arguments: Arguments, mut output: Output) -> ExitCode {
    output.json = arguments.json();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let result = runtime
        .map_err(Error::local("could not start"))
        .and_then(|runtime| runtime.block_on(perform(arguments, &mut output)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            output.say(&format!("flotilla: {}", error.sentence()));
            if let Some(hint) = error.hint() {
                output.say(&format!("  hint: {hint}"));
            }
            ExitCode::from(error.code())
        }
    }
}

async fn perform(arguments: Arguments, output: &mut Output) -> Result<(), Error> {
    let environment = Environment::read();
    let server = || {
        environment
            .credentials()
            .and_then(|credentials| Server::new(&credentials))
    };
    match arguments {
        Arguments::Login(arguments) => login::run(&arguments, &environment, output).await,
        Arguments::Session(arguments) => {
            let server = for_verb(server()?, arguments.verb.writes());
            session::run(arguments.verb, &server, output).await
        }
        Arguments::Gate(arguments) => {
            let server = for_verb(server()?, arguments.verb.writes());
            gate::run(arguments.verb, &server, output).await
        }
        Arguments::Host(arguments) => host::run(arguments.verb, &server()?, output).await,
        Arguments::Verify(arguments) => verify::run(arguments, &server()?, output).await,
        // A file is verified without any server.
        Arguments::Audit(arguments) => audit::run(arguments.verb, server, output).await,
    }
}

/// Who only looks can look again; what a person wants done is kept at.
fn for_verb(server: Server, writes: bool) -> Server {
    if writes { server.patient() } else { server }
}
