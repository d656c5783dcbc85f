//! `audit …`: the whole of it as a file, and the proof that it is what was signed.

mod arguments;
mod export;
mod report;
mod verify;

pub(super) use arguments::Audit;

use arguments::AuditVerb;

use super::exit::Error;
use super::output::Output;
use super::server::Server;

pub(super) async fn run(
    verb: AuditVerb,
    server: impl Fn() -> Result<Server, Error>,
    output: &mut Output,
) -> Result<(), Error> {
    match verb {
        AuditVerb::Export { output: file } => {
            export::run(file.as_deref(), &server()?, output).await
        }
        AuditVerb::Verify(verify) => match &verify.file {
            Some(file) => verify::file(file, verify.wanted(), output),
            None => verify::server(&server()?, verify.wanted(), output).await,
        },
        AuditVerb::Key => {
            let answer = server()?.get(&["api", "audit", "key"], &[]).await?;
            let key = answer["key"].as_str().unwrap_or_default().to_owned();
            output.answer(&answer, |_| key)
        }
    }
}
