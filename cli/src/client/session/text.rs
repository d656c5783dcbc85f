//! What a person says: on the command line, or on stdin as `-`.

use std::io::Read;

use crate::client::exit::Error;

/// The server's own limit is lower; this only keeps a wrong pipe from filling memory.
const BYTES_MAX: u64 = 16 << 20;

pub(super) fn said(text: &str) -> Result<String, Error> {
    if text != "-" {
        return Ok(text.to_owned());
    }
    let mut said = String::new();
    let read = std::io::stdin()
        .lock()
        .take(BYTES_MAX)
        .read_to_string(&mut said);
    read.map_err(Error::local("could not read stdin"))?;
    if said.trim().is_empty() {
        return Err(Error::usage("nothing came on stdin"));
    }
    Ok(said)
}
