//! The command line of the client verbs.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::audit::Audit;
use super::exit::EXIT_CODES;

/// Verbs that talk to a coordinator.
#[derive(Debug, Subcommand)]
pub enum Arguments {
    /// Sign in to a coordinator and keep an API token for the other commands
    #[command(after_help = EXIT_CODES)]
    Login(Login),
    /// Start sessions, read along, talk to them and stop them
    #[command(after_help = EXIT_CODES)]
    Session(Session),
    /// See what waits for you, and decide it
    #[command(after_help = EXIT_CODES)]
    Gate(Gate),
    /// The machines of the fleet
    #[command(after_help = EXIT_CODES)]
    Host(Host),
    /// Go through the whole chain on every host, with an agent that needs no account
    #[command(after_help = EXIT_CODES)]
    Verify(Verify),
    /// Who did what: take it out whole, and prove that nothing of it was changed
    #[command(after_help = EXIT_CODES)]
    Audit(Audit),
}

#[derive(Debug, Args)]
pub struct Login {
    /// Where the coordinator is, such as https://flotilla.example.org
    #[arg(env = "FLOTILLA_URL", value_name = "URL")]
    pub url: String,
    #[arg(long, value_name = "EMAIL")]
    pub email: Option<String>,
    /// Read the password from stdin instead of asking for it
    #[arg(long)]
    pub password_stdin: bool,
    /// Say what happened in JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Session {
    /// Print what the server says, as JSON
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub verb: SessionVerb,
}

/// Sessions are named by their id, by its last digits, or `latest`.
#[derive(Debug, Subcommand)]
pub enum SessionVerb {
    /// List sessions, those that need you first
    Ls {
        /// Ended ones too
        #[arg(long)]
        all: bool,
    },
    /// Start a session and print its id
    Start(Start),
    /// Show one session, and what happened in it
    Show {
        /// Its id, the last digits of it, or `latest`
        #[arg(value_name = "ID")]
        session: String,
        /// Everything that happened so far
        #[arg(long)]
        events: bool,
        /// What happens from now on, until the session ends
        #[arg(long)]
        follow: bool,
    },
    /// Say something to a session and print the message's id
    Send {
        /// Its id, the last digits of it, or `latest`
        #[arg(value_name = "ID")]
        session: String,
        /// What to say; `-` reads it from stdin
        #[arg(value_name = "TEXT")]
        text: String,
        /// Into the turn that runs, instead of after it
        #[arg(long)]
        steer: bool,
    },
    /// Wait until a session is idle, waits for you, or has ended, and print its state
    #[command(after_help = EXIT_CODES)]
    Wait {
        /// Its id, the last digits of it, or `latest`
        #[arg(value_name = "ID")]
        session: String,
        /// Only this one; the first of the three when left out
        #[arg(long = "for", value_name = "STATE")]
        state: Option<Awaited>,
        /// Give up after so many seconds (exit code 5)
        #[arg(long, value_name = "SECONDS")]
        timeout: Option<u64>,
    },
    /// End a session; its worktree and branch stay
    Stop {
        /// Its id, the last digits of it, or `latest`
        #[arg(value_name = "ID")]
        session: String,
    },
    /// Stop the turn that runs; the session stays
    Interrupt {
        /// Its id, the last digits of it, or `latest`
        #[arg(value_name = "ID")]
        session: String,
    },
    /// Choose whether it goes on by itself once a usage limit is over
    ResumeAtReset {
        #[arg(value_name = "on|off")]
        wish: OnOff,
        /// Its id, the last digits of it, or `latest`
        #[arg(value_name = "ID")]
        session: String,
    },
    /// Compare its numbers on its host, in EVENTS and here, and name the first difference
    #[command(after_help = EXIT_CODES)]
    Verify {
        /// Its id, the last digits of it, or `latest`
        #[arg(value_name = "ID")]
        session: String,
    },
    /// Write the whole session as lines of JSON, with its attachments
    Export {
        /// Its id, the last digits of it, or `latest`
        #[arg(value_name = "ID")]
        session: String,
        /// Into this file, which is there once it is whole; stdout when left out
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Take in an exported session, as one that is over, and print its id
    Import {
        /// What `session export` wrote; `-` reads it from stdin
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Take up a session that has ended or sleeps
    Resume {
        /// Its id, the last digits of it, or `latest`
        #[arg(value_name = "ID")]
        session: String,
    },
}

impl SessionVerb {
    /// Whether it asks for something to be done.
    pub(super) const fn writes(&self) -> bool {
        match self {
            Self::Start(_)
            | Self::Send { .. }
            | Self::Stop { .. }
            | Self::Interrupt { .. }
            | Self::Resume { .. }
            | Self::ResumeAtReset { .. } => true,
            // A file that was sent in half is not sent again by itself.
            Self::Ls { .. }
            | Self::Show { .. }
            | Self::Wait { .. }
            | Self::Verify { .. }
            | Self::Export { .. }
            | Self::Import { .. } => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OnOff {
    On,
    Off,
}

#[derive(Debug, Args)]
pub struct Start {
    /// The project's name or id
    #[arg(long, short)]
    pub project: String,
    /// Such as claude, codex or rehearsal
    #[arg(long, short)]
    pub agent: String,
    /// Where; the fleet chooses when left out
    #[arg(long)]
    pub host: Option<String>,
    /// A label that its host must bear; may be given several times
    #[arg(long = "host-label", value_name = "NAME=VALUE", value_parser = label)]
    pub host_labels: Vec<(String, String)>,
    /// The first line of the prompt when left out
    #[arg(long)]
    pub title: Option<String>,
    /// A branch or commit to start from
    #[arg(long)]
    pub base: Option<String>,
    /// What to do; `-` reads it from stdin
    #[arg(value_name = "PROMPT")]
    pub prompt: Option<String>,
}

/// A state worth waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Awaited {
    Idle,
    Waiting,
    Ended,
}

#[derive(Debug, Args)]
pub struct Gate {
    /// Print what the server says, as JSON
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub verb: GateVerb,
}

/// Gates are named by their id, by its last digits, `oldest` or `latest`.
#[derive(Debug, Subcommand)]
pub enum GateVerb {
    /// List what waits for you, oldest first
    Ls {
        /// Of this session alone
        #[arg(long, value_name = "ID")]
        session: Option<String>,
        /// Decided and withdrawn ones too
        #[arg(long)]
        all: bool,
    },
    /// Show exactly what would run
    Show {
        /// Its id, the last digits of it, `oldest` or `latest`
        #[arg(value_name = "ID")]
        gate: String,
    },
    /// Let it run
    Allow {
        /// Its id, the last digits of it, `oldest` or `latest`
        #[arg(value_name = "ID")]
        gate: String,
        /// Run this JSON input instead of what was asked for; `-` reads it from stdin
        #[arg(long, value_name = "JSON")]
        input: Option<String>,
        /// Refuse when it is no longer what you saw: the input_hash of `gate show --json`
        #[arg(long, value_name = "HASH")]
        input_hash: Option<String>,
    },
    /// Do not let it run; the agent goes on and is told why
    Deny {
        /// Its id, the last digits of it, `oldest` or `latest`
        #[arg(value_name = "ID")]
        gate: String,
        /// Word for word for the agent
        #[arg(value_name = "REASON")]
        reason: Option<String>,
    },
    /// Answer a question: one answer for each question, a label or your own words
    Answer {
        /// Its id, the last digits of it, `oldest` or `latest`
        #[arg(value_name = "ID")]
        gate: String,
        #[arg(value_name = "ANSWER", required = true)]
        answers: Vec<String>,
    },
}

impl GateVerb {
    /// Whether it decides something.
    pub(super) const fn writes(&self) -> bool {
        match self {
            Self::Allow { .. } | Self::Deny { .. } | Self::Answer { .. } => true,
            Self::Ls { .. } | Self::Show { .. } => false,
        }
    }
}

#[derive(Debug, Args)]
pub struct Host {
    /// Print what the server says, as JSON
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub verb: HostVerb,
}

#[derive(Debug, Subcommand)]
pub enum HostVerb {
    /// List hosts with their load, agents and projects
    Ls,
    /// Give a host no new sessions; what it has stays and goes on
    Drain {
        #[arg(value_name = "HOST")]
        host: String,
    },
    /// Give it new sessions again
    Resume {
        #[arg(value_name = "HOST")]
        host: String,
    },
    /// Print the command that makes another machine a host
    Enrol {
        /// What it is to be called: 1 to 40 of a-z, 0-9 and -
        #[arg(value_name = "NAME")]
        host: String,
        /// What placement can ask for; may be given several times
        #[arg(long = "label", value_name = "NAME=VALUE", value_parser = label)]
        labels: Vec<(String, String)>,
    },
    /// Take a host out of the fleet: it is cut off at once, and not let in again
    Revoke {
        #[arg(value_name = "NAME")]
        host: String,
    },
    /// Take a revoked host out of the lists, which frees its name
    Remove {
        #[arg(value_name = "NAME")]
        host: String,
    },
}

impl HostVerb {
    pub(super) const fn writes(&self) -> bool {
        match self {
            // Asked twice, a name would be given twice.
            Self::Ls | Self::Enrol { .. } => false,
            Self::Drain { .. }
            | Self::Resume { .. }
            | Self::Revoke { .. }
            | Self::Remove { .. } => true,
        }
    }
}

/// `gpu=a100`
fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("a label is written NAME=VALUE, such as gpu=a100".to_owned()),
    }
}

#[derive(Debug, Args)]
pub struct Verify {
    /// Only this host; may be given several times
    #[arg(long = "host", value_name = "HOST")]
    pub hosts: Vec<String>,
    /// For each step
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub timeout: u64,
    /// Say at the end, in JSON, what each step came to
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    /// Whether JSON is wanted.
    pub(super) const fn json(&self) -> bool {
        match self {
            Self::Login(login) => login.json,
            Self::Session(session) => session.json,
            Self::Gate(gate) => gate.json,
            Self::Host(host) => host.json,
            Self::Verify(verify) => verify.json,
            Self::Audit(audit) => audit.json,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(subcommand)]
        arguments: Arguments,
    }

    fn parse(line: &[&str]) -> Arguments {
        let line = std::iter::once("flotilla").chain(line.iter().copied());
        Line::try_parse_from(line).expect("a valid line").arguments
    }

    #[test]
    fn the_command_line_is_sound() {
        Line::command().debug_assert();
    }

    #[test]
    fn json_may_stand_anywhere_after_the_noun() {
        assert!(parse(&["session", "--json", "ls"]).json());
        assert!(parse(&["session", "ls", "--json"]).json());
        assert!(parse(&["gate", "show", "oldest", "--json"]).json());
        assert!(!parse(&["host", "ls"]).json());
    }

    #[test]
    fn a_prompt_may_come_from_stdin_and_a_reason_is_one_word_of_the_line() {
        let Arguments::Session(session) = parse(&[
            "session", "start", "-p", "shop", "-a", "claude", "--host", "vps-1", "-",
        ]) else {
            unreachable!("a session verb")
        };
        assert!(
            matches!(session.verb, SessionVerb::Start(start) if start.prompt.as_deref() == Some("-"))
        );
        let Arguments::Gate(gate) = parse(&["gate", "deny", "1a2b", "use src/ instead"]) else {
            unreachable!("a gate verb")
        };
        assert!(
            matches!(gate.verb, GateVerb::Deny { reason: Some(reason), .. } if reason == "use src/ instead")
        );
    }
}
