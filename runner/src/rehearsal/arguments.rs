//! What the rehearsal takes of the flags that an agent of this dialect is started with.
//!
//! It knows four and passes over the rest: the launcher writes the same line for it as for Claude Code.

use std::path::PathBuf;

/// How this process is to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arguments {
    pub opening: Opening,
    /// Where memories lie; in the home directory when absent.
    pub state: Option<PathBuf>,
    /// Not a conversation, but a word about the program.
    pub about: Option<About>,
}

/// What a program says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Version,
    Help,
}

/// Which conversation this process carries on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Opening {
    /// A new one under an id of our own.
    Fresh,
    /// A new one under an id that was chosen for us.
    Named(String),
    /// One that must be remembered.
    Resumed(String),
}

impl Arguments {
    /// Reads what is known, in `--flag value` or `--flag=value`; everything else is somebody else's flag.
    pub(super) fn read(arguments: &[String]) -> Self {
        let mut read = Self {
            opening: Opening::Fresh,
            state: None,
            about: None,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let (flag, attached) = match argument.split_once('=') {
                Some((flag, value)) => (flag, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            let mut value = || attached.clone().or_else(|| rest.next().cloned());
            match flag {
                "--session-id" => read.opening = value().map_or(Opening::Fresh, Opening::Named),
                "--resume" | "-r" => {
                    read.opening = value().map_or(Opening::Fresh, Opening::Resumed)
                }
                "--state" => read.state = value().map(PathBuf::from),
                "--version" => read.about = Some(About::Version),
                "--help" => read.about = Some(About::Help),
                // Their values may look like anything, a flag of ours included.
                "--settings" | "--append-system-prompt" | "--mcp-config" | "--model" => {
                    drop(value())
                }
                _ => {}
            }
        }
        read
    }
}

/// An id becomes a file's name, so it may hold nothing that leads elsewhere.
pub(super) fn is_plain(id: &str) -> bool {
    (1..=80).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &[&str]) -> Arguments {
        Arguments::read(&line.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn flags_of_the_real_agent_are_passed_over() {
        let read = read(&[
            "-p",
            "--input-format",
            "stream-json",
            "--settings",
            r#"{"permissions":{"ask":["*"]}}"#,
            "--append-system-prompt",
            "--resume",
            "--session-id",
            "abc",
            "--replay-user-messages",
        ]);
        assert_eq!(read.opening, Opening::Named("abc".to_owned()));
        assert_eq!(read.state, None);
    }

    #[test]
    fn a_value_may_be_attached() {
        let read = read(&["--resume=abc", "--state=/tmp/state"]);
        assert_eq!(read.opening, Opening::Resumed("abc".to_owned()));
        assert_eq!(read.state, Some(PathBuf::from("/tmp/state")));
    }

    #[test]
    fn an_id_that_would_leave_the_folder_is_not_plain() {
        assert!(is_plain("0192f3a0-aaaa-7bbb-8ccc-000000000000"));
        for bad in ["", "../x", "a/b", "a.b", &"x".repeat(81)] {
            assert!(!is_plain(bad), "{bad}");
        }
    }
}
