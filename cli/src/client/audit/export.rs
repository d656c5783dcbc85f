//! `audit export`: passes on what the server says, piece by piece.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde_json::json;

use super::super::exit::Error;
use super::super::output::Output;
use super::super::server::Server;
use super::verify::pieces;

pub(super) async fn run(
    file: Option<&Path>,
    server: &Server,
    output: &mut Output,
) -> Result<(), Error> {
    match file {
        Some(path) => into_file(path, server, output).await,
        None => pieces(server, |piece| output.bytes(piece)).await,
    }
}

/// Whole or not at all: a draft takes the name when all is in it.
async fn into_file(path: &Path, server: &Server, output: &mut Output) -> Result<(), Error> {
    let failed = || Error::local(format!("could not write {}", path.display()));
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.part", std::process::id()));
    let draft = Path::new(&draft);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)
        .map_err(failed())?;
    let written = fill(&mut file, server, path).await;
    let kept = written.and_then(|records| {
        file.sync_all()
            .and_then(|()| fs::rename(draft, path))
            .map_err(failed())
            .map(|()| records)
    });
    if kept.is_err() {
        // The failure that matters is the first one.
        let _ = fs::remove_file(draft);
    }
    let records = kept?;
    if output.json {
        return output.answer(&json!({ "file": path, "records": records }), |_| {
            String::new()
        });
    }
    output.say(&format!("{records} records are in {}.", path.display()));
    Ok(())
}

/// Gives how many records there were.
async fn fill(file: &mut File, server: &Server, path: &Path) -> Result<usize, Error> {
    let mut records = 0;
    pieces(server, |piece| {
        records += piece.iter().filter(|byte| **byte == b'\n').count();
        file.write_all(piece)
            .map_err(Error::local(format!("could not write {}", path.display())))
    })
    .await?;
    Ok(records)
}
