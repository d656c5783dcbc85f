//! What is said to whoever started the program: data on stdout, words beside it on stderr.
//!
//! That nobody listens any more, as after `| head`, is no reason to end, and even less to end in a panic.

use std::fmt::Display;
use std::io::{Write as _, stderr, stdout};

/// What was asked for.
pub fn data(text: impl Display) {
    writeln!(stdout(), "{text}").ok();
}

/// What went wrong, or is good to know.
pub fn word(text: impl Display) {
    writeln!(stderr(), "{text}").ok();
}
