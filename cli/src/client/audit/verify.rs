//! `audit verify`: walks a file, or what the server says, to its end or to the first record that is wrong.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use nats::audit::{Verifier, Wanted, Wrong};

use super::super::exit::Error;
use super::super::output::Output;
use super::super::server::Server;
use super::report;

const PIECE_BYTES: usize = 64 * 1024;

/// Verifies a file. `-` is stdin.
pub(super) fn file(path: &Path, wanted: Wanted, output: &mut Output) -> Result<(), Error> {
    let unreadable = || Error::local(format!("could not read {}", path.display()));
    let mut source: Box<dyn io::Read> = match path.to_str() {
        Some("-") => Box::new(io::stdin()),
        _ => Box::new(File::open(path).map_err(unreadable())?),
    };
    let mut verifier = Verifier::new(wanted);
    let mut piece = vec![0; PIECE_BYTES];
    let found = loop {
        let length = source.read(&mut piece).map_err(unreadable())?;
        if length == 0 {
            break verifier.finish();
        }
        if let Err(wrong) = verifier.push(&piece[..length]) {
            break Err(wrong);
        }
    };
    tell(&verifier, found, output)
}

/// Verifies what the server holds.
pub(super) async fn server(
    server: &Server,
    wanted: Wanted,
    output: &mut Output,
) -> Result<(), Error> {
    let mut verifier = Verifier::new(wanted);
    let mut wrong = None;
    pieces(server, |piece| {
        // After the first one nothing more can be said; what is left is let pass.
        if wrong.is_none() {
            wrong = verifier.push(piece).err();
        }
        Ok(())
    })
    .await?;
    let found = wrong.map_or_else(|| verifier.finish(), Err);
    tell(&verifier, found, output)
}

/// Hands on an export as it comes. One that breaks off is an error.
pub(super) async fn pieces(
    server: &Server,
    mut each: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut response = server.download(&["api", "audit", "export"]).await?;
    while let Some(piece) = server.piece(&mut response).await? {
        each(&piece)?;
    }
    Ok(())
}

fn tell(verifier: &Verifier, found: Result<(), Wrong>, output: &mut Output) -> Result<(), Error> {
    let report = verifier.report();
    let wrong = found.err();
    let whole = report::whole(report, wrong.as_ref());
    output.answer(&whole, |_| report::words(report, wrong.as_ref()))?;
    match wrong {
        Some(wrong) => Err(Error::Different(format!(
            "this audit does not hold: {wrong}"
        ))),
        None => Ok(()),
    }
}
