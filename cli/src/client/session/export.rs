//! `session export` and `session import`: a session as a file, out of one fleet and into another.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use nats::ids::SessionId;
use serde::Deserialize;
use serde_json::Value;

use super::super::exit::Error;
use super::super::output::Output;
use super::super::server::Server;

/// Of a file, on its way to the server.
const PIECE_BYTES: usize = 256 * 1024;

pub(super) async fn export(
    session: SessionId,
    file: Option<PathBuf>,
    server: &Server,
    output: &mut Output,
) -> Result<(), Error> {
    let id = session.to_string();
    let mut answer = server
        .download(&["api", "sessions", id.as_str(), "export"])
        .await?;
    let mut target = Target::open(file)?;
    let mut last = Vec::new();
    while let Some(piece) = server.piece(&mut answer).await? {
        target.write(output, &piece)?;
        remember_last_line(&mut last, &piece);
    }
    // A coordinator that could not go on has closed the connection; a proxy may have made a whole answer of it.
    if !last.starts_with(b"{\"end\":") {
        return Err(server.not_understood("an export without its end"));
    }
    if let Some(path) = target.finish()? {
        output.say(&format!("Written to {}.", path.display()));
    }
    Ok(())
}

/// What follows the last line end but one.
fn remember_last_line(last: &mut Vec<u8>, piece: &[u8]) {
    last.extend_from_slice(piece);
    let end = last.len().saturating_sub(1);
    if let Some(at) = last[..end].iter().rposition(|byte| *byte == b'\n') {
        last.drain(..=at);
    }
}

/// Where an export goes: stdout, or a file that takes its name once it is whole.
enum Target {
    Stdout,
    File {
        file: File,
        partial: PathBuf,
        path: PathBuf,
    },
}

impl Target {
    fn open(path: Option<PathBuf>) -> Result<Self, Error> {
        let Some(path) = path else {
            return Ok(Self::Stdout);
        };
        let mut partial = path.clone().into_os_string();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = File::create(&partial).map_err(Error::local(format!(
            "could not write `{}`",
            partial.display()
        )))?;
        Ok(Self::File {
            file,
            partial,
            path,
        })
    }

    fn write(&mut self, output: &mut Output, piece: &[u8]) -> Result<(), Error> {
        match self {
            Self::Stdout => output.bytes(piece),
            Self::File { file, partial, .. } => file.write_all(piece).map_err(Error::local(
                format!("could not write `{}`", partial.display()),
            )),
        }
    }

    fn finish(self) -> Result<Option<PathBuf>, Error> {
        let Self::File {
            file,
            partial,
            path,
        } = self
        else {
            return Ok(None);
        };
        file.sync_all()
            .and_then(|()| std::fs::rename(&partial, &path))
            .map_err(Error::local(format!(
                "could not write `{}`",
                path.display()
            )))?;
        Ok(Some(path))
    }
}

#[derive(Debug, Deserialize)]
struct ImportedView {
    session: Session,
    events: u64,
    objects: u64,
    already: bool,
}

#[derive(Debug, Deserialize)]
struct Session {
    id: SessionId,
}

pub(super) async fn import(file: &Path, server: &Server, output: &mut Output) -> Result<(), Error> {
    let unreadable = || format!("could not read `{}`", file.display());
    let reader: Box<dyn io::Read + Send> = if file == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(file).map_err(Error::local(unreadable()))?)
    };
    let whole: Value = server
        .upload(&["api", "sessions", "import"], pieces(reader))
        .await?;
    let view: ImportedView = server.view(&whole)?;
    output.answer(&whole, |_| view.session.id.to_string())?;
    output.say(&if view.already {
        "It was imported from this file before; nothing was changed.".to_owned()
    } else {
        format!(
            "Imported: {} events, {} objects. It is over, and only to be read.",
            view.events, view.objects
        )
    });
    Ok(())
}

fn pieces(
    reader: Box<dyn io::Read + Send>,
) -> impl futures::Stream<Item = io::Result<Vec<u8>>> + Send + 'static {
    futures::stream::iter(Pieces { reader })
}

struct Pieces {
    reader: Box<dyn io::Read + Send>,
}

impl Iterator for Pieces {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        let read = self
            .reader
            .by_ref()
            .take(PIECE_BYTES as u64)
            .read_to_end(&mut piece);
        match read {
            Ok(0) => None,
            Ok(_) => Some(Ok(piece)),
            Err(error) => Some(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_known_however_it_was_cut() {
        let text = b"{\"event\":1}\n{\"end\":{}}\n";
        for size in 1..text.len() {
            let mut last = Vec::new();
            for piece in text.chunks(size) {
                remember_last_line(&mut last, piece);
            }
            assert_eq!(last, b"{\"end\":{}}\n", "in pieces of {size}");
        }
    }
}
