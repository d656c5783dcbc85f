//! Reads stdin on a thread of its own, line by line.
//!
//! A plain thread and not the runtime's: a process that is done must be able to end while a read still waits.

use std::io::{self, BufRead, Read};

use tokio::sync::mpsc;

/// One thing heard on stdin.
#[derive(Debug)]
pub(super) enum Heard {
    Line(Vec<u8>),
    /// A line beyond [`LINE_BYTES_MAX`], or a read that failed.
    Broken(String),
    Ended,
}

/// Room for a prompt with large pictures; the real agent was seen to take 12 MB.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// Lines wait in the pipe rather than here.
const LINES_AHEAD: usize = 16;

/// Starts to listen.
pub(super) fn listen() -> io::Result<mpsc::Receiver<Heard>> {
    let (tx, rx) = mpsc::channel(LINES_AHEAD);
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || {
            let mut stdin = io::stdin().lock();
            loop {
                let heard = hear(&mut stdin);
                let last = !matches!(heard, Heard::Line(_));
                if tx.blocking_send(heard).is_err() || last {
                    return;
                }
            }
        })?;
    Ok(rx)
}

fn hear(stdin: &mut impl BufRead) -> Heard {
    loop {
        let mut line = Vec::new();
        let read = stdin
            .by_ref()
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line);
        match read {
            Err(error) => return Heard::Broken(format!("stdin failed: {error}")),
            Ok(0) => return Heard::Ended,
            Ok(_) if line.last() != Some(&b'\n') && line.len() as u64 == LINE_BYTES_MAX => {
                return Heard::Broken("a line on stdin is too long".to_owned());
            }
            Ok(_) if line.iter().all(u8::is_ascii_whitespace) => {}
            Ok(_) => return Heard::Line(line),
        }
    }
}
