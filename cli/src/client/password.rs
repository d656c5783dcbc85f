//! Asks for a password at the terminal without showing it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::exit::Error;

/// A person who types more than this is not typing a password.
const BYTES_MAX: u64 = 4096;

/// Reads the first line of stdin.
pub(super) fn from_stdin() -> Result<String, Error> {
    let mut line = String::new();
    let read = io::stdin().lock().take(BYTES_MAX).read_line(&mut line);
    read.map_err(Error::local("could not read the password from stdin"))?;
    checked(&line)
}

/// Asks on the terminal itself, so that neither stdin nor stdout need to be one.
pub(super) fn ask(prompt: &str) -> Result<String, Error> {
    let terminal = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .map_err(|_| Error::Usage {
            message: "there is no terminal to ask for the password".to_owned(),
            hint: Some("give it on stdin with --password-stdin".to_owned()),
        })?;
    let failed = Error::local("could not ask for the password");
    ask_on(&terminal, prompt)
        .map_err(failed)
        .and_then(|line| checked(&line))
}

fn ask_on(terminal: &File, prompt: &str) -> io::Result<String> {
    let mut screen = terminal;
    write!(screen, "{prompt}")?;
    screen.flush()?;
    let hidden = Hidden::on(terminal)?;
    let mut line = String::new();
    let read = BufReader::new(terminal)
        .take(BYTES_MAX)
        .read_line(&mut line);
    drop(hidden);
    writeln!(screen)?;
    read.map(|_| line)
}

fn checked(line: &str) -> Result<String, Error> {
    let password = line.trim_end_matches(['\n', '\r']);
    if password.is_empty() {
        return Err(Error::usage("no password was given"));
    }
    Ok(password.to_owned())
}

/// While this lives, the terminal does not show what is typed.
struct Hidden<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Hidden<'a> {
    fn on(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // A terminal that is gone needs no echo.
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}
