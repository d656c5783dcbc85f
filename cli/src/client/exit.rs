//! How a client verb can end, and the exit code a script sees. This is the one place that lists them.

use std::error::Error as StdError;
use std::io;

use reqwest::StatusCode;

/// Shown at the end of every `--help` here.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the server refused, a check failed, or something on this machine did
  2  the command line is wrong, or a short id fits nothing or several
  3  not signed in
  4  the server cannot be reached, or what answers is not Flotilla
  5  waiting timed out
  6  what was waited for can no longer come";

/// Why a verb did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The server's own words.
    #[error("{message}")]
    Refused {
        status: StatusCode,
        message: String,
        hint: Option<String>,
    },
    #[error("{message}")]
    Usage {
        message: String,
        hint: Option<String>,
    },
    #[error("{message}")]
    NotSignedIn { message: String },
    #[error("cannot reach {url}")]
    Unreachable {
        url: String,
        #[source]
        source: reqwest::Error,
    },
    #[error("{url} answered in a way that this version does not understand: {what}")]
    NotUnderstood { url: String, what: String },
    /// Some other program's refusal, such as a proxy's.
    #[error("{url} answered {status}, and not in the words of a coordinator")]
    NotFlotilla { url: String, status: StatusCode },
    /// What was checked is not so.
    #[error("{message}")]
    Unproven {
        message: String,
        hint: Option<String>,
    },
    #[error("{0}")]
    TimedOut(String),
    #[error("{0}")]
    TooLate(String),
    #[error("{what}")]
    Local {
        what: String,
        #[source]
        source: io::Error,
    },
    #[error("could not print")]
    Output(#[source] io::Error),
}

impl Error {
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn unproven(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Unproven {
            message: message.into(),
            hint: Some(hint.into()),
        }
    }

    pub(super) fn local(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Local {
            what: what.into(),
            source,
        }
    }

    pub(super) const fn code(&self) -> u8 {
        match self {
            Self::Refused { .. } | Self::Unproven { .. } | Self::Local { .. } | Self::Output(_) => {
                1
            }
            Self::Usage { .. } => 2,
            Self::NotSignedIn { .. } => 3,
            Self::Unreachable { .. } | Self::NotUnderstood { .. } | Self::NotFlotilla { .. } => 4,
            Self::TimedOut(_) => 5,
            Self::TooLate(_) => 6,
        }
    }

    /// What the reader can do about it.
    pub(super) fn hint(&self) -> Option<&str> {
        match self {
            Self::Refused { hint, .. } | Self::Unproven { hint, .. } | Self::Usage { hint, .. } => {
                hint.as_deref()
            }
            Self::NotSignedIn { .. } => {
                Some("flotilla login URL --email EMAIL, or set FLOTILLA_URL and FLOTILLA_TOKEN")
            }
            Self::Unreachable { .. } => Some(
                "is it running, and is this the right address? `flotilla up` starts one on this machine",
            ),
            Self::NotUnderstood { .. } | Self::NotFlotilla { .. } => Some(
                "is this the address of a Flotilla coordinator, and about as new as this program?",
            ),
            Self::TimedOut(_) => Some("it goes on without you; the same command waits on"),
            Self::TooLate(_) | Self::Local { .. } | Self::Output(_) => None,
        }
    }

    /// Whoever read our stdout has had enough, as `head` does: no failure.
    pub(super) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// All that is known, in one line.
    pub(super) fn sentence(&self) -> String {
        let mut sentence = self.to_string();
        let mut source = self.source();
        while let Some(cause) = source {
            let words = cause.to_string();
            // A transport's error and its cause often say the same.
            if !sentence.contains(&words) {
                sentence = format!("{sentence}: {words}");
            }
            source = cause.source();
        }
        sentence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_in_the_help() {
        let errors = [
            Error::usage("x"),
            Error::NotSignedIn {
                message: "x".into(),
            },
            Error::NotUnderstood {
                url: "x".into(),
                what: "x".into(),
            },
            Error::TimedOut("x".into()),
            Error::TooLate("x".into()),
            Error::Output(io::ErrorKind::Other.into()),
        ];
        for error in errors {
            assert!(
                EXIT_CODES.contains(&format!("\n  {}  ", error.code())),
                "{error}"
            );
        }
    }

    #[test]
    fn a_cause_is_said_once() {
        let error = Error::local("could not keep the token")(io::Error::other("disk full"));
        assert_eq!(error.sentence(), "could not keep the token: disk full");
    }
}
